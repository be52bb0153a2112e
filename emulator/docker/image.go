package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Image builds the model's image, or pulls it where it is missing, and makes sure
// that the Engine can run it.
func (r *Runtime) Image(ctx context.Context, spec emulator.ImageSpec, report func(event.Fact)) (emulator.Image, error) {
	if _, err := r.chooseReach(ctx); err != nil {
		return emulator.Image{}, forModel(spec.Model, err)
	}
	var reference string
	var found image.InspectResponse
	var err error
	if spec.Model.Build != nil {
		reference = r.tag(spec)
		removed := r.removeReplaced(ctx, spec)
		found, err = r.build(ctx, spec, reference, report)
		removal := removed()
		if err == nil {
			removal = errors.Join(removal, r.removeSuperseded(ctx, spec, found.ID))
		}
		warnOfRemoval(ctx, removal, report)
	} else {
		reference = spec.Model.Deployment.Image
		found, err = r.present(ctx, spec.Model, report)
	}
	if err == nil {
		err = r.checkArchitecture(reference, found)
	}
	if err != nil {
		return emulator.Image{}, forModel(spec.Model, err)
	}
	made := emulator.Image{ID: found.ID, Reference: reference, Architecture: found.Architecture, EngineArchitecture: r.engine.architecture, Size: found.Size}
	if found.Config != nil {
		made.Exposed = slices.Sorted(maps.Keys(found.Config.ExposedPorts))
		made.HealthCheck = found.Config.Healthcheck != nil && len(found.Config.Healthcheck.Test) > 0 && found.Config.Healthcheck.Test[0] != "NONE"
		made.Entrypoint, made.Cmd, made.User = found.Config.Entrypoint, found.Config.Cmd, found.Config.User
		made.WorkingDir, made.Env = found.Config.WorkingDir, found.Config.Env
	}
	return made, nil
}

// forModel names the model in a failure that does not.
func forModel(model *emulator.Model, err error) error {
	if failure, ok := err.(*emulator.Failure); ok { //nolint:errorlint // a wrapped one is not ours to change
		failure.Model = model.ID()
	}
	return err
}

// present returns the image as the Engine has it, or pulls it.
func (r *Runtime) present(ctx context.Context, model *emulator.Model, report func(event.Fact)) (image.InspectResponse, error) {
	reference := model.Deployment.Image
	found, err := r.client.ImageInspect(ctx, reference)
	switch {
	case err == nil:
		return found, nil
	case !errdefs.IsNotFound(err) && !errdefs.IsInvalidArgument(err): // pull says what is wrong with a reference
		return found, fmt.Errorf("inspect image %s: %w", reference, err)
	}
	if err := r.pull(ctx, reference, report); err != nil {
		return found, err
	}
	found, err = r.client.ImageInspect(ctx, reference)
	if err != nil {
		return found, fmt.Errorf("inspect image %s after its pull: %w", reference, err)
	}
	return found, nil
}

// checkArchitecture refuses an image that would end with "exec format error".
func (r *Runtime) checkArchitecture(reference string, found image.InspectResponse) error {
	has, needs := found.Architecture, r.engine.architecture
	if r.options.AllowForeign || has == needs || has == "" {
		return nil
	}
	return &emulator.Failure{
		What: "its image is for another CPU architecture",
		Why:  fmt.Sprintf("%s is for %s, and the Engine runs %s", reference, has, needs),
		Next: fmt.Sprintf("build it with --platform linux/%s, or allow emulation with --allow-emulation, which is slow", needs),
		Card: event.Failed{Cause: event.CauseArchitecture, Certainty: event.Certain},
	}
}
