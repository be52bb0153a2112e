package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// ourTags is what the names of all that is built begin with.
const ourTags = "merlin-local/"

func isOurs(tag string) bool { return strings.HasPrefix(tag, ourTags) }

// BuildTag names what is built for a local revision, which starts at 1 with every run.
func BuildTag(spec emulator.ImageSpec) string {
	return strings.ToLower(fmt.Sprintf(ourTags+"%s/%s:r%d", spec.Model.Deployment.Project, spec.Model.ID(), spec.Revision))
}

// passingTags is what the names of all begin with that is built for a session alone.
func passingTags(session string) string { return ourTags + "aside/" + session + "/" }

// tag names what this session builds.
func (r *Runtime) tag(spec emulator.ImageSpec) string {
	if r.options.Passing {
		return strings.ToLower(fmt.Sprintf("%s%s/%s:r%d", passingTags(r.options.Session), spec.Model.Deployment.Project, spec.Model.ID(), spec.Revision))
	}
	return BuildTag(spec)
}

// build makes the model's image with BuildKit, or with the classic builder where the
// Engine has nothing else.
func (r *Runtime) build(ctx context.Context, spec emulator.ImageSpec, tag string, report func(event.Fact)) (image.InspectResponse, error) {
	if err := checkSources(spec.Model.Build); err != nil {
		return image.InspectResponse{}, err
	}
	options := r.buildOptions(spec, tag)
	trace := newTrace(report)
	over := r.past.begin(time.Now().Add(r.engine.ahead))
	id, err := r.buildWithBuildKit(ctx, spec.Model.Build, options, trace)
	trace.past.Model, trace.past.Image = spec.Model.ID(), id
	over(trace.past)
	if refusal := (*refusedError)(nil); errors.As(err, &refusal) {
		report(event.Notice{
			Level: event.NoticeWarning,
			Text:  fmt.Sprintf("the Engine has no BuildKit (%v): building with the classic builder, without secrets and cache mounts", refusal.err),
		})
		id, err = r.buildClassic(ctx, spec.Model.Build, options, report)
	}
	if err != nil {
		return image.InspectResponse{}, err
	}
	found, err := r.client.ImageInspect(ctx, id)
	if err != nil {
		return found, fmt.Errorf("inspect the image that was built: %w", err)
	}
	return found, nil
}

func (r *Runtime) buildOptions(spec emulator.ImageSpec, tag string) build.ImageBuildOptions {
	args := map[string]*string{}
	for _, a := range spec.Model.Build.Args {
		args[a.Name] = &a.Value
	}
	return build.ImageBuildOptions{
		Tags:      []string{tag},
		BuildArgs: args,
		Target:    spec.Model.Build.Target,
		Labels:    r.labels(spec.Model, spec.Revision),
	}
}

// checkSources says what is missing before the Engine does, which knows no paths.
func checkSources(b *emulator.Build) error {
	const what = "its image cannot be built"
	if info, err := os.Stat(b.Context); err != nil || !info.IsDir() {
		return &emulator.Failure{What: what, Why: "there is no folder " + b.Context, Next: "check build.context"}
	}
	info, err := os.Stat(b.Dockerfile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &emulator.Failure{What: what, Why: "there is no file " + b.Dockerfile, Next: "write it, set build.dockerfile, or give an image"}
	case err != nil:
		return fmt.Errorf("read the Dockerfile: %w", err)
	case info.IsDir():
		return &emulator.Failure{What: what, Why: b.Dockerfile + " is a folder", Next: "set build.dockerfile to the Dockerfile itself"}
	}
	return nil
}
