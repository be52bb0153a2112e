package config

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Overrides are what flags say. They win over the file, and are checked as it is;
// a mistake in one names the flag, which is --project, --model and so on.
type Overrides struct {
	Project, Model, Version, Protocol string // empty is not given
	Fidelity                          string
	Image                             string // run as it is: build and exec no longer hold
	ModelDir                          string
	Command, Args                     *string         // nil is not given; an empty one is the image's own
	Env                               []merlin.EnvVar // replace variables of the same name, else come last
	Port                              int             // 0 is not given
}

// tree is what the file would be if the flags had been written there.
func (o Overrides) tree(dir string) *node {
	flags := &node{shape: mapping}
	set := func(key, flag, text string) {
		at := place{flag: flag}
		flags.put(field{key: key, at: at, value: &node{text: text, plain: true, at: at}})
	}
	texts := []struct{ key, flag, text string }{
		{"project", "--project", o.Project},
		{"model", "--model", o.Model},
		{"version", "--version", o.Version},
		{"protocol", "--protocol", o.Protocol},
		{"image", "--image", o.Image},
		{"fidelity", "--fidelity", o.Fidelity},
	}
	for _, t := range texts {
		if t.text != "" {
			set(t.key, t.flag, t.text)
		}
	}
	if o.ModelDir != "" {
		set("model_dir", "--model-dir", absolute(dir, o.ModelDir))
	}
	if o.Command != nil {
		set("command", "--command", *o.Command)
	}
	if o.Args != nil {
		set("args", "--args", *o.Args)
	}
	if o.Port != 0 {
		set("port", "--port", strconv.Itoa(o.Port))
	}
	o.env(flags)
	return flags
}

func (o Overrides) env(flags *node) {
	if len(o.Env) == 0 {
		return
	}
	at := place{flag: "--env"}
	vars := &node{shape: mapping, at: at}
	for _, e := range o.Env {
		vars.fields = append(vars.fields, field{key: e.Name, at: at, value: &node{text: e.Value, at: at}})
	}
	flags.put(field{key: "env_vars", at: at, value: vars})
}

const maxModelName = 25

// defaultModel names a model that has no name after the image, where a flag names
// one in a folder without a file, else after the folder.
func defaultModel(f *File, o Options) string {
	name := filepath.Base(f.Dir)
	if f.Path == "" && o.Overrides.Image != "" {
		name = imageBase(o.Overrides.Image)
	}
	return ModelName(name)
}

// ModelName makes a name that a model may have of a folder's or an image's.
func ModelName(name string) string {
	name = regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-")
	name = strings.Trim(name, "-")
	if len(name) > maxModelName {
		name = strings.TrimRight(name[:maxModelName], "-")
	}
	if name == "" {
		return "model"
	}
	return name
}

// imageBase is iris for ghcr.io/acme/iris:v1@sha256:….
func imageBase(image string) string {
	image, _, _ = strings.Cut(image, "@")
	image = image[strings.LastIndex(image, "/")+1:]
	image, _, _ = strings.Cut(image, ":")
	return image
}
