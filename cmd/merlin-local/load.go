package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// modelFlags are what a command line may say of a model.
type modelFlags struct {
	overrides     config.Overrides
	command, args string
	env           []string
	buildArgs     []string
}

func (m *modelFlags) flags(c *cobra.Command) {
	flags := c.Flags()
	o := &m.overrides
	flags.StringVar(&o.Project, "project", "", "Merlin project")
	flags.StringVar(&o.Model, "model", "", "model name")
	flags.StringVar(&o.Version, "version", "", "model version")
	flags.StringVar(&o.Protocol, "protocol", "", "HTTP_JSON or UPI_V1")
	flags.StringVar(&o.Fidelity, "fidelity", "", "documented: what the contract promises; deployed: what the cluster does where it differs (default documented)")
	flags.StringVar(&o.Image, "image", "", "run this image; nothing is built")
	flags.StringVar(&o.ModelDir, "model-dir", "", "artifact folder, mounted read-only at /mnt/models")
	flags.StringVar(&m.command, "command", "", "replaces the image's ENTRYPOINT and drops its CMD; cut at every space")
	flags.StringVar(&m.args, "args", "", "replaces the image's CMD; cut at every space")
	flags.StringArrayVarP(&m.env, "env", "e", nil, "variable as NAME=VALUE; may be repeated")
	flags.StringArrayVar(&m.buildArgs, "build-arg", nil, "build argument as NAME=VALUE; may be repeated")
}

// load reads the configuration with the flags over it.
func (m *modelFlags) load(c *cobra.Command, where *location) (*config.File, error) {
	dir, path, err := where.repo()
	if err != nil {
		return nil, err
	}
	overrides := m.overrides
	if c.Flags().Changed("command") {
		overrides.Command = &m.command
	}
	if c.Flags().Changed("args") {
		overrides.Args = &m.args
	}
	if overrides.Env, err = assignments("--env", m.env); err != nil {
		return nil, err
	}
	buildArgs, err := assignments("--build-arg", m.buildArgs)
	if err != nil {
		return nil, err
	}
	file, err := config.Load(config.Options{Dir: dir, Path: path, Overrides: overrides})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError{err}
	case err != nil:
		return nil, err
	}
	for _, model := range file.Models {
		if model.Build != nil { // the last of the same name counts
			model.Build.Args = append(model.Build.Args, buildArgs...)
		}
	}
	return file, refusals(file)
}

// configuration is the repo's merlin-local.yaml; nil where there is none, as where an image
// runs without a repo.
func (l *location) configuration(c *cobra.Command) (*config.File, error) {
	dir, path, err := l.repo()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, config.FileName)); path == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return (&modelFlags{}).load(c, l)
}

func assignments(flag string, texts []string) ([]merlin.EnvVar, error) {
	var vars []merlin.EnvVar
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("%s %s: it is NAME=VALUE", flag, text)}
		}
		vars = append(vars, merlin.EnvVar{Name: name, Value: value})
	}
	return vars, nil
}

// refusals are the deployments that Merlin itself would not take.
func refusals(file *config.File) error {
	var mistakes config.Errors
	for i, m := range file.Models {
		for _, r := range m.Deployment.Refusals() {
			mistakes = append(mistakes, file.Mistake(i, r.Field, "Merlin refuses this: "+r.Message))
		}
	}
	if len(mistakes) > 0 {
		return mistakes
	}
	return nil
}

// runnable gives the models of the file with all that running them needs: secrets
// have their values, and artifacts are on this machine.
func runnable(file *config.File) ([]*emulator.Model, error) {
	if err := file.ResolveSecrets(os.LookupEnv); err != nil {
		return nil, err
	}
	var mistakes config.Errors
	for i, m := range file.Models {
		if uri := m.Deployment.ArtifactURI; uri != "" && m.ModelDir == "" {
			mistakes = append(mistakes, file.Mistake(i, "artifact_uri",
				fmt.Sprintf("%s is not fetched: download it and give the folder as model_dir", uri)))
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return models(file), nil
}

// models gives the models of the file, each with an artifact URI.
func models(file *config.File) []*emulator.Model {
	all := make([]*emulator.Model, len(file.Models))
	for i := range file.Models {
		all[i] = &file.Models[i]
	}
	withArtifactURI(all)
	return all
}

// withArtifactURI gives a model that names no artifact URI one that is plainly ours:
// production always has one.
func withArtifactURI(models []*emulator.Model) {
	for _, m := range models {
		if d := &m.Deployment; d.ArtifactURI == "" {
			d.ArtifactURI = "gs://merlin-local/" + d.Project + "/" + d.Model + "/" + d.Version + "/artifacts"
		}
	}
}

// pick returns the model that an optional argument names.
func pick(models []*emulator.Model, args []string) (*emulator.Model, error) {
	var ids []string
	var found []*emulator.Model
	for _, m := range models {
		ids = append(ids, m.ID())
		if len(args) == 0 || args[0] == m.ID() || args[0] == m.Deployment.Model || args[0] == m.Deployment.FullName() {
			found = append(found, m)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(args) == 0:
		return nil, usageError{fmt.Errorf("there are several models: name one of %s", strings.Join(ids, ", "))}
	case len(found) > 1:
		return nil, usageError{fmt.Errorf("several models are called %q: name one of %s", args[0], strings.Join(ids, ", "))}
	default:
		return nil, usageError{fmt.Errorf("no model is called %q: there is %s", args[0], strings.Join(ids, ", "))}
	}
}
