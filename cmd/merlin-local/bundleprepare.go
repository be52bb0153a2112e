package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/artifact"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/proxy/capture/bundle"
)

// prepare makes of the bundle a session that can be used.
func (r *rerun) prepare(ctx context.Context) (*aside, error) {
	artifact, err := r.artifact(ctx)
	if err != nil {
		return nil, err
	}
	image := "none" // so that there is something to run
	if r.exec == "" {
		if image, err = r.obtain(ctx); err != nil {
			return nil, err
		}
	}
	if artifact == "" { // the configuration names none, or it is there
		artifact = r.modelDir
	}
	file, err := config.Load(config.Options{Dir: r.dir, Overrides: config.Overrides{Image: image, ModelDir: artifact}})
	if err != nil {
		return nil, fmt.Errorf("the bundle's configuration: %w", err)
	}
	models, err := runnable(file)
	if err != nil {
		return nil, err
	}
	options := r.engineOptions
	options.runtime = "docker"
	if r.exec != "" {
		options.runtime = "process"
		for _, m := range models {
			m.Exec, m.OnHost, m.Deployment.Image, m.Dir = r.exec, true, "", workingDir()
		}
	}
	return &aside{engineOptions: options, file: file, models: models, progress: r.progress, deadline: r.deadline, noLimits: r.noLimits, logs: r.logs}, nil
}

// workingDir is where a command of this command line runs.
func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	return dir
}

// artifact makes sure that the artifact is what the bundle says; another folder than the
// bundle's own comes back.
func (r *rerun) artifact(ctx context.Context) (folder string, err error) {
	switch {
	case len(r.Artifact) == 0:
		return "", nil
	case r.modelDir != "":
		return r.modelDir, r.sameArtifact(ctx)
	case !r.HasArtifact():
		return "", fmt.Errorf("the bundle has only the checksums of the artifact (%s): name its folder with --model-dir, or have the bundle saved with --with-artifacts", counted(len(r.Artifact), "file", "files"))
	}
	return "", nil
}

// sameArtifact tells where a folder differs from what the model read; it is run all the
// same, since to try another may be what is wanted.
func (r *rerun) sameArtifact(ctx context.Context) error {
	want := map[string]bundle.File{}
	for _, f := range r.Artifact {
		want[f.Path] = f
	}
	var differs []string
	err := artifact.Walk(ctx, r.modelDir, func(relative, path string) error {
		f, err := bundle.Sum(ctx, path)
		f.Path = relative
		if f != want[relative] {
			differs = append(differs, relative)
		}
		delete(want, relative)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the artifact: %w", err)
	}
	for path := range want {
		differs = append(differs, path+" (missing)")
	}
	slices.Sort(differs)
	for _, path := range differs {
		fmt.Fprintf(r.out, "note: the artifact is not the bundle's: %s\n", prose.Clean(path))
	}
	return nil
}

// obtain makes sure that the image is there, and returns what to run. It fetches nothing:
// an image that is not there is loaded from the bundle.
func (r *rerun) obtain(ctx context.Context) (reference string, err error) {
	if r.image != "" {
		return r.image, nil
	}
	if r.Image.ID == "" {
		return "", errors.New("the bundle is of a model that ran without an image: name one with --image, or a command that serves it with --exec")
	}
	engine, err := docker.Connect(ctx, docker.Options{Session: control.FindHome().Beside(r.dir).ID})
	if err != nil {
		return "", err
	}
	defer engine.Close()
	for _, reference := range []string{r.Image.ID, r.Image.Digest} {
		if reference == "" {
			continue
		}
		if found, there, err := engine.Find(ctx, reference); there || err != nil {
			return found.ID, err
		}
	}
	if !r.Has(bundle.Image) {
		next := "have the bundle saved with --with-image"
		if r.Image.Digest != "" {
			next = "pull " + r.Image.Digest + ", or " + next
		}
		return "", fmt.Errorf("neither the bundle nor the Engine has the image %s: %s", r.Image.ID, next)
	}
	file, err := os.Open(filepath.Join(r.dir, bundle.Image))
	if err != nil {
		return "", err
	}
	defer file.Close()
	fmt.Fprintln(r.progress, "loading the image")
	id, err := engine.Load(ctx, file)
	r.loaded = id
	return id, err
}

// tidy removes the image that the bundle brought.
func (r *rerun) tidy(ctx context.Context) error {
	if r.loaded == "" || r.keepImage {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	engine, err := docker.Connect(ctx, docker.Options{})
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := engine.Forget(ctx, r.loaded); err != nil {
		return fmt.Errorf("remove the image that the bundle brought: %w", err)
	}
	return nil
}
