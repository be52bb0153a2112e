package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/docker"
)

// manifest prints what Merlin would create in the cluster.
type manifest struct {
	*location
	modelFlags
	format string
}

func newManifest(where *location) *cobra.Command {
	m := &manifest{location: where}
	c := &cobra.Command{
		Use:   "manifest [MODEL]",
		Short: "Print the InferenceService and VirtualService that Merlin would create",
		Long: `Print the InferenceService and VirtualService that Merlin would create of each model,
or of the one that is named: YAML documents, or a JSON list.

What production needs and the file does not say is told on standard error.
` + "`merlin-local init --from FILE`" + ` is the way back.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return m.run(c, args) },
	}
	m.modelFlags.flags(c)
	c.Flags().StringVar(&m.format, "format", "yaml", "yaml or json")
	return c
}

func (m *manifest) run(c *cobra.Command, args []string) error {
	if m.format != "yaml" && m.format != "json" {
		return usageError{fmt.Errorf("--format %s: it is yaml or json", m.format)}
	}
	file, err := m.load(c, m.location)
	if err != nil {
		return err
	}
	chosen, err := chosenModels(file, args)
	if err != nil {
		return err
	}
	for _, model := range chosen {
		for _, remark := range productionNeeds(model) {
			fmt.Fprintln(c.ErrOrStderr(), remark)
		}
	}
	withArtifactURI(chosen)
	objects, err := manifestsOf(chosen)
	if err != nil {
		return err
	}
	return printObjects(c.OutOrStdout(), m.format, objects)
}

func chosenModels(file *config.File, args []string) ([]*emulator.Model, error) {
	var all []*emulator.Model
	for i := range file.Models {
		all = append(all, &file.Models[i])
	}
	if len(args) == 0 {
		return all, nil
	}
	model, err := pick(all, args)
	return []*emulator.Model{model}, err
}

func manifestsOf(models []*emulator.Model) ([]any, error) {
	var objects []any
	for _, model := range models {
		isvc, err := model.Deployment.InferenceService()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", model.ID(), err)
		}
		objects = append(objects, isvc, model.Deployment.VirtualService())
	}
	return objects, nil
}

func printObjects(w io.Writer, format string, objects []any) error {
	if format == "json" {
		return writeIndented(w, objects)
	}
	text, err := config.YAML(objects...)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// productionNeeds gives a model an image's name where it has none, and says of what it
// has that production would not take it, or not see it.
func productionNeeds(m *emulator.Model) []string {
	var says []string
	say := func(format string, args ...any) {
		says = append(says, "note: "+m.ID()+": "+fmt.Sprintf(format, args...))
	}
	switch d := &m.Deployment; {
	case d.Image != "":
	case m.Build != nil:
		d.Image = docker.BuildTag(emulator.ImageSpec{Model: m, Revision: 1})
		say("image %s is what a build makes here: push one that the cluster can pull, and name it as image", d.Image)
	default:
		say("there is no image: the cluster can run nothing until image names one")
	}
	if m.Deployment.ArtifactURI == "" {
		say("artifact_uri is not set: STORAGE_URI is a stand-in; Merlin sets it to where it uploads model_dir")
	}
	if policy := m.Deployment.Policy(); m.Deployment.AutoscalingPolicy == nil {
		say("autoscaling_policy is not set, so no annotation of it is here: Merlin's API then asks for %s %v; write it to have it here, too",
			policy.MetricsType, policy.TargetValue)
	}
	if keys := localOnly(m); len(keys) > 0 {
		say("Merlin deploys without %s, which only a run here has", strings.Join(keys, ", "))
	}
	return says
}

// localOnly are the keys that change a run here and that Merlin has nothing for.
func localOnly(m *emulator.Model) []string {
	var keys []string
	for _, k := range []struct {
		name  string
		given bool
	}{
		{"container_concurrency", m.ContainerConcurrency != 0},
		{"timeout", m.Timeout != 300*time.Second},
		{"response_start_timeout", m.ResponseStartTimeout != 0},
		{"idle_timeout", m.IdleTimeout != 0},
		{"readiness_probe", m.Readiness != emulator.ProbeSettings{}},
		{"liveness_probe", m.Liveness != emulator.ProbeSettings{}},
	} {
		if k.given {
			keys = append(keys, k.name)
		}
	}
	return keys
}
