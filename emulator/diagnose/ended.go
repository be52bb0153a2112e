package diagnose

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	killedCode      = 137
	notRunnableCode = 126
	notFoundCode    = 127
)

func fault(e *Evidence) (Finding, bool) {
	switch {
	case e.Exit != nil && e.Exit.Fault != "":
		return certain("it was killed on purpose by the fault "+e.Exit.Fault, "nothing is to be mended: look at what its clients made of it")
	case e.Exit == nil && e.Probe.Fault != "":
		return certain("its readiness probe fails on purpose by the fault "+e.Probe.Fault, "`merlin-local fault clear probes` ends that")
	}
	return no()
}

func liveness(e *Evidence) (Finding, bool) {
	if e.Exit.Stopped == "" {
		return no()
	}
	return certain(e.Exit.Stopped, "answer the liveness probe while predictions run, too: in a thread or worker of its own, without waiting for the model")
}

func oomKilled(e *Evidence) (Finding, bool) {
	const next = "load less, or raise resource_request.memory_request: the limit follows it"
	limit := "its memory limit"
	if e.MemoryLimit > 0 {
		limit += " of " + Bytes(e.MemoryLimit)
	}
	switch {
	case e.Exit.OOMKilled && e.Exit.Code != killedCode: // a child, and then perhaps for that
		return likely(fmt.Sprintf("the kernel killed a process of it at %s, and it exited with code %d", limit, e.Exit.Code), next)
	case e.Exit.OOMKilled:
		return certain("it went over "+limit, next)
	case e.Exit.Code == killedCode && e.MemoryLimit > 0 && e.MemoryPeak >= e.MemoryLimit/100*95:
		return likely(fmt.Sprintf("it was killed when it had taken %s, near %s", Bytes(e.MemoryPeak), limit), next)
	case e.Exit.Code == killedCode && e.MemoryLimit > 0 && e.MemoryPeak == 0: // the Engine misses kills of the first moments
		return guess("it was killed before its memory was measured once, as by a load that goes over "+limit+" at once", next)
	}
	return no()
}

func architecture(e *Evidence) (Finding, bool) {
	if _, ok := find(e.words(), formatError); !ok {
		return no()
	}
	has, runs := e.ImageArchitecture, e.EngineArchitecture
	if has != "" && runs != "" && has != runs {
		return certain(fmt.Sprintf("the image is for %s, and the Engine runs %s", has, runs), "build it with --platform linux/"+runs)
	}
	next := "build the program for the image's own architecture (GOARCH, --platform); a script needs a first line such as #!/bin/sh"
	if runs != "" {
		return likely("its program is not for "+runs+", though the image says so; or it is a script without #!", next)
	}
	return likely("its program is for another CPU architecture, or it is a script without #!", next)
}

var formatError = regexp.MustCompile(`(?i)exec format error`)

func commandNotFound(e *Evidence) (Finding, bool) {
	if e.Exit.Code != notFoundCode || len(e.Command) > 0 && badlyQuoted(e.Command[0]) {
		return no()
	}
	if _, ok := find(e.Logs, lacksLib); ok { // the loader's code is the same
		return no()
	}
	if e.Exit.Error == "" { // a shell says it
		if m, ok := find(e.Logs, shellNotFound); ok {
			return certain("the image has no command "+strings.Trim(m[1], `'":‘’`), "install it in the image, or check its name and PATH")
		}
		return likely("a command that it calls is not there: "+e.lastLine(), "install it in the image, or check its name and PATH")
	}
	missing := ""
	if m, ok := find([]string{e.Exit.Error}, engineExec); ok {
		missing = m[1]
	} else if len(e.Command) > 0 {
		missing = e.Command[0]
	}
	switch base := path.Base(missing); {
	case slices.Contains([]string{"sh", "bash", "ash", "dash"}, base):
		return certain("the image has no shell: "+missing+" is not in it", "give command as the program itself, without a shell")
	case missing == "":
		return certain("its command is not in the image", "check command and the image's ENTRYPOINT")
	default:
		return certain(missing+" is not in the image, or its interpreter (#!) or loader is not", "check command and the image's ENTRYPOINT")
	}
}

var (
	// engineExec is in an Engine's refusal: exec: "/server": stat /server: no such file.
	engineExec    = regexp.MustCompile(`exec: "((?:[^"\\]|\\.)*)"`)
	shellNotFound = regexp.MustCompile(`(?:^|: )(?:exec: |line \d+: |\d+: )*([^\s:]+): (?:command not found|not found|No such file or directory)$`)
)

func notExecutable(e *Evidence) (Finding, bool) {
	if e.Exit.Code != notRunnableCode {
		return no()
	}
	what := "its command"
	if m, ok := find([]string{e.Exit.Error}, engineExec); ok {
		what = m[1]
	}
	return certain(what+" is there and cannot be executed by "+e.user(), "make it executable (chmod +x, COPY --chmod=755), and check that it is a program")
}

// quotes is about words that a shell would have taken the quotes off.
func quotes(e *Evidence) (Finding, bool) {
	for _, in := range []struct {
		key   string
		words []string
	}{{"command", e.Command}, {"args", e.Args}} {
		i := slices.IndexFunc(in.words, badlyQuoted)
		if i < 0 || e.Exit.Code == 0 {
			continue
		}
		word := in.words[i]
		why := fmt.Sprintf("%s is cut at every space and keeps its quotes: the model gets the word %s", in.key, word)
		const next = "take the quotes away; a value with spaces goes into env_vars"
		if slices.ContainsFunc(e.words(), func(line string) bool { return strings.Contains(line, word) }) || in.key == "command" && i == 0 {
			return certain(why, next)
		}
		return likely(why, next)
	}
	return no()
}

// badlyQuoted tells a word that a shell would not have passed on so. JSON without
// spaces may be meant as it stands.
func badlyQuoted(word string) bool {
	for _, q := range []string{`'`, `"`} {
		if strings.Count(word, q)%2 == 1 {
			return true
		}
		if len(word) > 1 && strings.HasPrefix(word, q) && strings.HasSuffix(word, q) {
			return true
		}
	}
	return false
}

func wrongArguments(e *Evidence) (Finding, bool) {
	m, ok := find(e.Logs, usage)
	if !ok || e.Exit.Code != 2 && e.Exit.Code != 64 {
		return no()
	}
	return certain(clip(m[0]), "check command and args: `merlin-local env` shows what $(NAME) gives")
}

var usage = regexp.MustCompile(`(?i).*(?:flag provided but not defined|unrecognized arguments?|unrecognized option|unknown (?:flag|option|argument)|unexpected argument|no such option|invalid option|required:|invalid value|invalid choice).*`)

func crash(e *Evidence) (Finding, bool) {
	switch Signal(e.Exit.Code) {
	case "SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE":
	default:
		return no()
	}
	next := "run it under a debugger, or with PYTHONFAULTHANDLER=1; native libraries must be built for this CPU and this libc"
	why := fmt.Sprintf("%s: %s", Signal(e.Exit.Code), Meaning(e.Exit.Code))
	if line := e.lastLine(); line != "" {
		why += "; its last line: " + line
	}
	return certain(why, next)
}

func killed(e *Evidence) (Finding, bool) {
	switch signal := Signal(e.Exit.Code); signal {
	case "":
		return no()
	case "SIGKILL":
		return likely("somebody killed it, or this machine had no memory left; the Engine tells of no kill for its own limit", "look for who killed it: docker kill, or the kernel's log")
	default:
		return likely("it was ended by "+signal+" from outside, or by itself", "look for who sent it the signal")
	}
}

func endedByItself(e *Evidence) (Finding, bool) {
	if e.Exit.Code != 0 {
		return no()
	}
	return certain("its command ended without an error: a model must keep serving, and a server that puts itself in the background ends its container",
		"run the server in the foreground, with exec where a shell starts it")
}

func exited(e *Evidence) (Finding, bool) {
	const next = "mend what its log says"
	if line := e.lastLine(); line != "" {
		return guess(line, next)
	}
	return guess("it wrote nothing", "make it say why it ends; PYTHONUNBUFFERED=1 shows what Python holds back")
}
