package emulator

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"reflect"
	"slices"
	"sync"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// environments are those that a revision has told. It is safe for concurrent use.
type environments struct {
	mu   sync.Mutex
	last event.Environment
}

// news tells whether a pod's environment is another one than was told last. That each pod
// has a name of its own is none.
func (e *environments) news(f event.Environment) bool {
	f.Pod = ""
	f.Variables = slices.Clone(f.Variables)
	for i := range f.Variables {
		if v := &f.Variables[i]; v.Name == hostname && v.Origin == event.OriginRuntime {
			v.Value = ""
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if reflect.DeepEqual(e.last, f) {
		return false
	}
	e.last = f
	return true
}

// tellEnvironment says what a container is about to be given: given are its variables
// before they are expanded, at the place that it has.
func (p *pod) tellEnvironment(place merlin.Place, given []merlin.Variable, spec ContainerSpec, resources merlin.Resources) {
	secrets := map[string]string{}
	for _, s := range p.model.Deployment.Secrets {
		secrets[s.EnvVarName] = masked // also where another variable refers to it
	}
	env := merlin.Resolve(given, secrets)
	f := event.Environment{
		Pod: p.name, Variables: p.variables(env, secrets, spec), Mounts: p.mounts(place, spec),
		User: p.user(), WorkingDir: p.image.WorkingDir, Port: spec.Port,
		Requests: amounts(resources.Requests), Limits: amounts(resources.Limits),
		LimitsHold: !p.model.OnHost && !p.NoLimits, Notes: p.notes(),
	}
	f.Command, f.Args = p.words(spec, env)
	f.Remark = p.limitRemark()
	if p.environments.news(f) {
		p.publish(f)
	}
}

// words are the container's command and arguments, and who says so.
func (p *pod) words(spec ContainerSpec, env []merlin.Variable) (command, args event.Words) {
	d := p.model.Deployment
	switch {
	case p.model.OnHost && p.model.Debug.On:
		return event.Words{Words: []string{spec.Model.Exec}, Origin: event.OriginDebugger, Remark: "exec under the debugger: a shell reads it"}, args
	case p.model.OnHost:
		return event.Words{Words: []string{spec.Model.Exec}, Origin: event.OriginUser, Remark: "exec: a shell reads it; production runs the image's command"}, args
	case p.model.Debug.On:
		return event.Words{Words: spec.Command, Origin: event.OriginDebugger, Remark: "the debugger in front of production's command"}, args
	}
	args = event.Words{Words: merlin.ExpandWords(merlin.Words(d.Args), env), Origin: event.OriginUser}
	if d.Command != "" {
		command = event.Words{Words: merlin.ExpandWords(merlin.Words(d.Command), env), Origin: event.OriginUser}
	} else {
		command = event.Words{Words: p.image.Entrypoint, Origin: event.OriginImage}
		if d.Args == "" {
			args = event.Words{Words: p.image.Cmd, Origin: event.OriginImage}
		}
	}
	return whole(command), whole(args)
}

// whole leaves out who says nothing.
func whole(w event.Words) event.Words {
	if len(w.Words) == 0 {
		return event.Words{}
	}
	return w
}

// mounts are the artifact, and the files over the image's own.
func (p *pod) mounts(place merlin.Place, spec ContainerSpec) []event.Mount {
	artifact := event.Mount{
		Kind: event.MountArtifact, From: p.model.ModelDir, Source: p.artifact, Target: place.ArtifactLocation,
		ReadOnly: !p.model.OnHost, Verdict: event.Same, Remark: "a copy, made when the revision was: what changes in model_dir makes a new one",
	}
	if p.staged != nil {
		artifact.Files, artifact.Bytes = p.staged.files, p.staged.bytes
	}
	if p.model.OnHost {
		artifact.Verdict, artifact.Remark = event.Approximated, "a folder of its own, which can be written to; production mounts it read-only at "+merlin.Production().ArtifactLocation
	}
	mounts := []event.Mount{artifact}
	for _, f := range spec.Files {
		m := event.Mount{
			Kind: event.MountFile, From: p.model.shown(f.Source), Source: f.Source, Target: f.To, Copied: true, Files: 1,
			Verdict: event.Approximated, Remark: "an edit, copied over the image's own file: production has an image of it",
		}
		if f.To == inContainer {
			m.Verdict, m.Remark = event.NotEmulated, "the debugger (--debug)"
		}
		if info, err := os.Stat(f.Source); err == nil {
			m.Bytes = info.Size()
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// user is whom the container runs as.
func (p *pod) user() string {
	if !p.model.OnHost {
		if p.image.User == "" {
			return "root"
		}
		return p.image.User
	}
	me, err := user.Current()
	if err != nil {
		return ""
	}
	return me.Username
}

func amounts(q merlin.Quantities) (a event.Amounts) {
	if q.CPU != nil {
		a.CPU = q.CPU.String()
	}
	if q.Memory != nil {
		a.Memory = q.Memory.String()
	}
	return a
}

func (p *pod) limitRemark() string {
	const nothing = "the requests set nothing aside here"
	switch {
	case p.model.OnHost:
		return "a process of this host has no limits; " + nothing
	case p.NoLimits:
		return "the limits are turned off by --no-limits; " + nothing
	}
	return nothing
}

// notes tell what a container sees besides.
func (p *pod) notes() []string {
	const kubernetes = "production's pods have Kubernetes' own variables too (KUBERNETES_SERVICE_HOST, KUBERNETES_PORT and their like)"
	if p.model.OnHost {
		return []string{"the variables of this host are visible too, and are not listed", kubernetes}
	}
	return []string{
		"HOME is set by what runs the container, by the image's list of users, here and in production",
		"host.docker.internal leads to this machine; production has no such name",
		kubernetes,
	}
}

// sizeOf counts what is in a folder: regular files, and their bytes. What cannot be read
// is not counted.
func sizeOf(folder string) (files int, bytes int64) {
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			files++
			bytes += info.Size()
		}
		return nil
	})
	return files, bytes
}
