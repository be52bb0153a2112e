package emulator

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/diagnose"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// asked is what a model is given, for its diagnosis.
func (p *pod) asked(place merlin.Place, env []merlin.Variable) diagnose.Asked {
	d := p.model.Deployment
	a := diagnose.Asked{
		UPI: d.Protocol == merlin.UPIV1, Port: place.HTTPPort, OtherPort: place.GRPCPort,
		Model: d.Model, VersionName: d.VersionName(), FullName: d.FullName(),
		Command: merlin.Words(d.Command), Args: merlin.Words(d.Args),
		User: p.image.User, ImageArchitecture: p.image.Architecture, EngineArchitecture: p.image.EngineArchitecture,
		ArtifactLocation: place.ArtifactLocation, Artifact: listArtifact(p.artifact),
	}
	if a.UPI {
		a.Port, a.OtherPort = a.OtherPort, a.Port
	}
	if !d.Raw() {
		a.Service = d.KnativeService()
	}
	for _, v := range env {
		a.Variables = append(a.Variables, v.Name)
	}
	return a
}

// mostArtifact bounds how many paths of the artifact are looked at.
const mostArtifact = 200

var errEnough = errors.New("enough")

// listArtifact lists the staged artifact, folders with a slash.
func listArtifact(root string) (paths []string) {
	if root == "" {
		return nil
	}
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(root, path)
		switch {
		case err != nil || relErr != nil: // what cannot be read is not listed
			return nil
		case name == ".":
			return nil
		case len(paths) == mostArtifact:
			return errEnough
		case entry.IsDir():
			name += "/"
		}
		paths = append(paths, filepath.ToSlash(name))
		return nil
	})
	return paths
}

// evidence is what is known of the container without looking further, without secrets.
func (c *incarnation) evidence(probe ProbeResult) diagnose.Evidence {
	e := diagnose.Evidence{Asked: c.given, Probe: c.mask.fact(probe).(ProbeResult), Logs: c.mask.lines(c.last.all()), LastError: c.mask.text(c.last.lastError())}
	e.Isolated = c.started.Reach != reachProcess
	e.Published = c.started.Reach == reachPublished
	e.MemoryPeak, e.MemoryLimit = c.memory(false)
	return e
}

// What event.Started says of how a replica is reached.
const (
	reachProcess   = "process"
	reachPublished = "published"
)

// ending is the evidence of a death.
func (c *incarnation) ending(d died, probe ProbeResult) diagnose.Evidence {
	e := c.evidence(probe)
	e.MemoryPeak, e.MemoryLimit = d.memoryPeak, d.memoryLimit
	e.Exit = &diagnose.Exit{Code: d.Code, OOMKilled: d.OOMKilled, Error: c.mask.text(d.Error), Stopped: c.mask.text(d.why), Fault: d.Fault}
	return e
}

// cardOf is the failure card that evidence makes.
func (c *incarnation) cardOf(what string, e diagnose.Evidence) *event.Failed {
	f := diagnose.Of(e)
	card := &event.Failed{
		What: what, Why: strings.TrimSpace(f.Why), Next: f.Next, Cause: f.Cause, Certainty: f.Certainty,
		Pod: c.name, LastLogs: lastOf(e.Logs), MemoryPeak: e.MemoryPeak, MemoryLimit: e.MemoryLimit,
	}
	if e.Probe.Outcome != "" {
		card.Probe = &e.Probe
	}
	if e.Exit != nil {
		card.Exit = &event.Ending{
			Code: e.Exit.Code, Signal: diagnose.Signal(e.Exit.Code), Meaning: diagnose.Meaning(e.Exit.Code),
			OOMKilled: e.Exit.OOMKilled, Error: e.Exit.Error,
		}
	}
	c.hint(card, e.Logs)
	return card
}
