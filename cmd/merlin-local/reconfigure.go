package main

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/watch"
)

// watchConfiguration makes new revisions of what changes in the configuration and in the
// dotenv files, until ctx ends. What cannot change while a session runs is told.
func (s *upSession) watchConfiguration(ctx context.Context, supervision *emulator.Emulator) error {
	folders := map[string][]string{}
	for _, path := range append(s.file.Dotenvs(), s.configuration()) {
		folders[filepath.Dir(path)] = append(folders[filepath.Dir(path)], "!"+filepath.Base(path))
	}
	done, changes := make(chan struct{}, len(folders)), make(chan string)
	for dir, names := range folders {
		watcher, err := watch.New(watch.Options{Root: dir, Ignore: append([]string{"*"}, names...)})
		if err != nil {
			s.warn("changes of the configuration are not seen: " + err.Error())
			done <- struct{}{}
			continue
		}
		go func() {
			defer func() { done <- struct{}{} }()
			err := watcher.Run(ctx, func(set watch.Set) {
				if set.First {
					return
				}
				select {
				case changes <- set.Changes[0].Path:
				case <-ctx.Done():
				}
			})
			if err != nil {
				s.warn("changes of the configuration are not seen: " + err.Error())
			}
		}()
	}
	for running := len(folders); running > 0; {
		select {
		case changed := <-changes:
			s.reconfigure(supervision, changed)
		case <-done:
			running--
		}
	}
	return nil
}

// configuration is the file that is there, or would be read if it were.
func (s *upSession) configuration() string {
	if s.file.Path != "" {
		return s.file.Path
	}
	return filepath.Join(s.file.Dir, "merlin-local.yaml")
}

// reconfigure reads the configuration again. One with mistakes changes nothing.
func (s *upSession) reconfigure(supervision *emulator.Emulator, changed string) {
	file, models, err := s.reread()
	if err != nil {
		s.warn(changed + " is not in force, what was read before is:\n" + err.Error())
		return
	}
	s.pins.follow(file)
	if s.capture != nil {
		s.capture.Hide(secretsOf(models)...)
	}
	s.engine.fit(models)
	if err := s.underDebugger(models); err != nil {
		s.warn(changed + " is not in force, what was read before is: " + err.Error())
		return
	}
	current := slices.Clone(*s.current.Load())
	later := differentModels(current, models)
	if !reflect.DeepEqual(file.Capture, s.file.Capture) {
		later = append(later, "capture")
	}
	for i, old := range current {
		now := byID(models, old.ID())
		if now == nil || reflect.DeepEqual(old, now) {
			continue
		}
		later = append(later, fixed(old, now)...)
		if keepFixed(old, now); reflect.DeepEqual(old, now) {
			continue
		}
		current[i] = now
		if err := supervision.Reconfigure(now, changed); err != nil {
			s.warn(err.Error())
		}
	}
	s.current.Store(&current)
	if len(later) > 0 {
		s.warn(changed + ": takes effect at the next up: " + strings.Join(later, ", "))
	}
}

// portable says what a model runs with now, to whoever wants to run it elsewhere.
func (s *upSession) portable(model string) (control.Configuration, error) {
	m := byID(*s.current.Load(), model)
	if m == nil {
		return control.Configuration{}, fmt.Errorf("there is no model %s", model)
	}
	dir := ""
	if m.ModelDir != "" {
		dir = artifactDir
	}
	return control.Configuration{Text: string(config.Portable(*m, dir)), ModelDir: m.ModelDir}, nil
}

// artifactDir is model_dir in a configuration that is to be moved.
const artifactDir = "artifact"

func byID(models []*emulator.Model, id string) *emulator.Model {
	for _, m := range models {
		if m.ID() == id {
			return m
		}
	}
	return nil
}

// differentModels names the models that came or went.
func differentModels(old, now []*emulator.Model) []string {
	var names []string
	for _, m := range now {
		if byID(old, m.ID()) == nil {
			names = append(names, "the new model "+m.ID())
		}
	}
	for _, m := range old {
		if byID(now, m.ID()) == nil {
			names = append(names, "the end of "+m.ID())
		}
	}
	return names
}

// fixed names the keys that differ and cannot change while the session runs: the port
// has them.
func fixed(old, now *emulator.Model) []string {
	var keys []string
	differs := func(key string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			keys = append(keys, key)
		}
	}
	a, b := old.Deployment, now.Deployment
	differs("project", a.Project, b.Project)
	differs("revision", a.Revision, b.Revision)
	differs("protocol", a.Protocol, b.Protocol)
	differs("platform.domain", a.Platform.Domain, b.Platform.Domain)
	differs("container_concurrency", old.ContainerConcurrency, now.ContainerConcurrency)
	differs("timeout", old.Timeout, now.Timeout)
	differs("response_start_timeout", old.ResponseStartTimeout, now.ResponseStartTimeout)
	differs("idle_timeout", old.IdleTimeout, now.IdleTimeout)
	differs("weight", old.Weight, now.Weight)
	differs("fidelity", old.Fidelity, now.Fidelity)
	differs("watch", old.Watch, now.Watch)
	differs("model_dir", old.ModelDir, now.ModelDir)
	differs("metrics", old.Metrics, now.Metrics)
	return keys
}

// keepFixed gives the new configuration what the session goes on with.
func keepFixed(old, now *emulator.Model) {
	a, b := old.Deployment, &now.Deployment
	b.Project, b.Revision, b.Protocol, b.Platform.Domain = a.Project, a.Revision, a.Protocol, a.Platform.Domain
	now.ContainerConcurrency, now.Timeout = old.ContainerConcurrency, old.Timeout
	now.ResponseStartTimeout, now.IdleTimeout = old.ResponseStartTimeout, old.IdleTimeout
	now.Weight, now.Fidelity, now.Watch, now.ModelDir = old.Weight, old.Fidelity, old.Watch, old.ModelDir
	now.Metrics = old.Metrics
}
