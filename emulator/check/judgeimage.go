package check

import (
	"fmt"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// noImage says why a rule about an image is not judged.
func (s *Seen) noImage() (verdict, bool) {
	if s.Image == nil {
		return unjudged("there is no image: it runs as a process of this host"), true
	}
	return verdict{}, false
}

func imageCommand(s *Seen) verdict {
	if v, none := s.noImage(); none {
		return v
	}
	d, fix := s.Deployment, "write ENTRYPOINT or CMD as a JSON list, or set command"
	if s.hasNoCommand() {
		return fail(fix, "the image has neither ENTRYPOINT nor CMD, and command is not set")
	}
	if v, told := s.told("image-command"); told && v.outcome == Failed {
		return v
	}
	words := append(append([]string(nil), s.Image.Entrypoint...), s.Image.Cmd...)
	if d.Command != "" || d.Args != "" {
		return pass("the configuration gives it")
	}
	return pass("%s", clip(strings.Join(words, " ")))
}

// hasNoCommand tells that there is nothing to start.
func (s *Subject) hasNoCommand() bool {
	d := s.Deployment
	return s.Image != nil && d.Command == "" && d.Args == "" && len(s.Image.Entrypoint)+len(s.Image.Cmd) == 0
}

func imageArchitecture(s *Seen) verdict {
	if v, none := s.noImage(); none {
		return v
	}
	fix := fmt.Sprintf("build it with --platform linux/%s, or name production's with --architecture", s.Architecture)
	switch {
	case s.Image.Architecture == "":
		return unjudged("the image does not say")
	case s.Image.Architecture != s.Architecture:
		return fail(fix, "it is for %s, and production's nodes are %s", s.Image.Architecture, s.Architecture)
	case s.Image.Unfit != "":
		return pass("%s, which this Engine does not run: %s", s.Image.Architecture, s.Image.Unfit)
	}
	return pass("%s", s.Image.Architecture)
}

func imageUser(s *Seen) verdict {
	if v, none := s.noImage(); none {
		return v
	}
	user, _, _ := strings.Cut(s.Image.User, ":")
	if user == "" || user == "root" || user == "0" {
		return fail("add USER 65532:65532, and see that it can read its files", "it runs as root: whoever breaks into it is root in its container")
	}
	return pass("USER %s", s.Image.User)
}

func imageSize(s *Seen) verdict {
	if v, none := s.noImage(); none {
		return v
	}
	if s.Image.Size > s.MostBytes {
		return fail("leave out what only the build needs: a smaller base, a second stage, a .dockerignore; artifacts belong into model_dir",
			"%s, more than %s: each node pulls it before the first cold start", bytesOf(s.Image.Size), bytesOf(s.MostBytes))
	}
	return pass("%s", bytesOf(s.Image.Size))
}

func imageTag(s *Seen) verdict {
	if v, none := s.noImage(); none {
		return v
	}
	reference := s.Image.Reference
	if s.Image.Built {
		return unjudged("it was built here: its tag is chosen when it is pushed")
	}
	if strings.Contains(reference, "sha256:") {
		return pass("named by its digest")
	}
	name := reference[strings.LastIndex(reference, "/")+1:]
	_, tag, _ := strings.Cut(name, ":")
	if tag == "" || tag == "latest" {
		return fail("give each build a tag of its own, or name the digest", "%s is whatever was pushed last: a pod that starts later may run another image", reference)
	}
	return pass("%s", tag)
}

func imageHealthcheck(s *Seen) verdict {
	if v, none := s.noImage(); none {
		return v
	}
	if s.Image.HealthCheck {
		return fail("leave it out, or keep it for other uses: production asks the contract's endpoints", "the image has a HEALTHCHECK, which Kubernetes does not run")
	}
	return pass("none")
}

func imageExpose(s *Seen) verdict {
	if v, none := s.noImage(); none {
		return v
	}
	if len(s.Image.Exposed) == 0 {
		return pass("none")
	}
	listed := strings.Join(s.Image.Exposed, ", ")
	for _, port := range s.Image.Exposed {
		if port == fmt.Sprintf("%d/tcp", s.port(productionPorts())) {
			return pass("%s", listed)
		}
	}
	return fail("leave EXPOSE out: production ignores it", "EXPOSE says %s, and the model has to listen on %d", listed, s.port(productionPorts()))
}

// bytesOf is an amount of bytes as people read it.
func bytesOf(n int64) string {
	const unit = 1024
	switch {
	case n >= unit*unit*unit:
		return fmt.Sprintf("%.1f GiB", float64(n)/(unit*unit*unit))
	case n >= unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/(unit*unit))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/unit)
}

// blame is the rule that a cause belongs to: the others then are not judged.
func blame(cause event.Cause) string {
	switch cause {
	case event.CauseReadOnlyArtifact:
		return "artifact-read-only"
	case event.CauseOtherPort:
		return "port-from-variable"
	case event.CauseLoopback:
		return "all-addresses"
	case event.CauseGRPCForHTTP, event.CauseHTTPForGRPC, event.CauseTLS:
		return "protocol"
	case event.CauseHealthPath:
		return "full-name"
	case event.CauseNoHealthPath, event.CauseHealthRedirects, event.CauseHealthRefuses, event.CauseHealthErrors, event.CauseHealthOther, event.CauseHealthSlow:
		return "health-endpoint"
	case event.CauseGRPCNotServing:
		return "grpc-health"
	case event.CauseOOMKilled:
		return "memory"
	case event.CauseCommandNotFound, event.CauseNotExecutable:
		return "image-command"
	}
	return "starts"
}
