package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/process"
)

// engine is the runtime of a session, with what a person should know of it.
type engine struct {
	emulator.Runtime
	name    string // "docker" or "process"
	about   string
	warning string
	docker  *docker.Runtime // nil for processes
}

func (e *engine) close() {
	if e.docker != nil {
		_ = e.docker.Close()
	}
}

// removeBuilt removes what was built for the session alone.
func (e *engine) removeBuilt(session string) error {
	if e.docker == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepTimeout)
	defer cancel()
	return e.docker.RemoveBuilt(ctx, session)
}

// sweepTimeout is how long what a session built has to be removed.
const sweepTimeout = time.Minute

// memory is what the machine of the containers has, in bytes; 0 is not known.
func (e *engine) memory() int64 {
	if e.docker == nil {
		return 0
	}
	return e.docker.Memory()
}

// engineOptions are what a command line says of the runtime.
type engineOptions struct {
	runtime          string // auto, docker or process
	reach            string
	emulatedPlatform bool
	passing          bool // what is built is removed at the end
}

// choose finds the runtime for these models: Docker where an Engine answers, else,
// unless it was asked for by name, processes where every model has an exec.
func (o engineOptions) choose(ctx context.Context, session control.Session, models []*emulator.Model) (*engine, error) {
	switch docker.Reach(o.reach) {
	case docker.ReachAuto, docker.ReachAddress, docker.ReachPublished:
	default:
		return nil, usageError{fmt.Errorf("--reach %s: it is auto, address or published", o.reach)}
	}
	switch o.runtime {
	case "process":
		if missing := withoutExec(models); len(missing) > 0 {
			return nil, fmt.Errorf("--runtime process: %s has no exec, the command that serves it without Docker", strings.Join(missing, ", "))
		}
		return processes(session, models, process.Differences), nil
	case "auto", "docker":
	default:
		return nil, usageError{fmt.Errorf("--runtime %s: it is auto, docker or process", o.runtime)}
	}
	runtime, err := docker.Connect(ctx, docker.Options{
		Session: session.ID, Reach: docker.Reach(o.reach), AllowForeign: o.emulatedPlatform, Passing: o.passing,
		Builds: control.FindHome().Builds(),
	})
	if without := withoutImage(models); err == nil && len(without) > 0 {
		_ = runtime.Close()
		if missing := withoutExec(models); o.runtime == "docker" || len(missing) > 0 {
			return nil, fmt.Errorf("%s has no Dockerfile and no image: write one, or run without Docker by exec: --runtime process", strings.Join(without, ", "))
		}
		return processes(session, models, "NO DOCKERFILE AND NO IMAGE: "+process.Differences), nil
	}
	if err == nil {
		return &engine{Runtime: runtime, name: "docker", about: runtime.Describe(), docker: runtime}, nil
	}
	var none *docker.NoEngineError
	if !errors.As(err, &none) || o.runtime == "docker" {
		return nil, err
	}
	if missing := withoutExec(models); len(missing) > 0 {
		return nil, fmt.Errorf("%w\nWithout Docker a model needs exec, the command that serves it; %s has none", err, strings.Join(missing, ", "))
	}
	return processes(session, models, "NO DOCKER ENGINE ANSWERS: "+process.Differences), nil
}

func processes(session control.Session, models []*emulator.Model, warning string) *engine {
	e := &engine{Runtime: process.New(session.Processes()), name: "process", warning: warning}
	e.fit(models)
	return e
}

// fit makes models ones that the engine can run.
func (e *engine) fit(models []*emulator.Model) {
	for _, m := range models {
		if e.docker == nil {
			m.Build, m.OnHost = nil, true // there is no image
		}
	}
}

// withoutImage are the models that Docker has nothing to run of.
func withoutImage(models []*emulator.Model) []string {
	var ids []string
	for _, m := range models {
		if m.Build == nil && m.Deployment.Image == "" {
			ids = append(ids, m.ID())
		}
	}
	return ids
}

func withoutExec(models []*emulator.Model) []string {
	var ids []string
	for _, m := range models {
		if m.Exec == "" {
			ids = append(ids, m.ID())
		}
	}
	return ids
}

// sweepDead removes what killed sessions of this home left, of other repos too, and
// returns for how many it found something. A session that lives is left alone.
func sweepDead(ctx context.Context, runtime *docker.Runtime) (int, error) {
	home := control.FindHome()
	begun, err := home.Sessions()
	if err != nil {
		return 0, err
	}
	left := slices.Clone(begun)
	if runtime != nil {
		ids, err := runtime.Sessions(ctx)
		if err != nil {
			return 0, err
		}
		for _, id := range ids {
			if s, mine := home.Named(id); mine && !slices.Contains(left, s) {
				left = append(left, s)
			}
		}
	}
	swept := 0
	for _, s := range left {
		lock, err := s.Acquire(control.Owner{})
		var used *control.InUse
		if errors.As(err, &used) {
			continue
		}
		if err == nil {
			err = errors.Join(sweepSession(ctx, s, runtime), lock.Release())
		}
		if err != nil {
			return swept, err
		}
		if lock.Killed.PID != 0 || !slices.Contains(begun, s) {
			swept++
		}
	}
	return swept, nil
}

// sweepSession removes what one session left. The caller holds its lock.
func sweepSession(ctx context.Context, s control.Session, runtime *docker.Runtime) error {
	err := process.New(s.Processes()).Sweep(ctx)
	if runtime != nil {
		err = errors.Join(err, runtime.SweepSession(ctx, s.ID), runtime.RemoveBuilt(ctx, s.ID))
	}
	return err
}
