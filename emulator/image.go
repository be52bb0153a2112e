package emulator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// makeImage runs the user's build command and builds the image, or makes sure that
// the given one is there.
func (r *revision) makeImage(ctx context.Context, enter func(event.Phase, string), took func(string, time.Duration)) (Image, error) {
	begun := time.Now()
	if r.model.Build != nil {
		enter(event.PhaseBuilding, "")
		if err := r.runBuildCommand(ctx); err != nil {
			return Image{}, err
		}
		if r.model.Build.Run != "" {
			took("build.run", time.Since(begun))
		}
	}
	building := time.Now()
	pulling := false
	image, err := r.Runtime.Image(ctx, ImageSpec{Model: r.model, Revision: r.number, Keep: r.image.ID}, func(f event.Fact) {
		if step, ok := f.(event.Step); ok && step.Stage == event.StagePull && !pulling && r.model.Build == nil {
			pulling = true
			enter(event.PhasePulling, r.model.Deployment.Image)
		}
		r.publish(f)
	})
	if err != nil {
		return Image{}, r.imageFailed(err)
	}
	if r.model.Build != nil {
		took("image", time.Since(building))
		r.publish(event.Built{Image: image.ID, Took: time.Since(begun)})
		r.copies = r.Runtime.Copies(r.model.Build, image.WorkingDir)
	}
	return image, nil
}

func (r *revision) imageFailed(err error) error {
	cause, what := event.CauseNoImage, "has no image that can run"
	if r.model.Build != nil {
		cause, what = event.CauseNotBuilt, "cannot be built"
	}
	failure := &Failure{Model: r.id, What: what, Why: err.Error()}
	_ = errors.As(err, &failure)
	if full := r.full(failure.What, errors.New(failure.Why)); full != nil {
		return full
	}
	return failure.because(cause)
}

// runBuildCommand runs build.run in the model repo.
func (r *revision) runBuildCommand(ctx context.Context) error {
	command := r.model.Build.Run
	if command == "" {
		return nil
	}
	step := event.Step{Stage: event.StageRun, ID: "build.run", Name: command, State: event.StepStarted}
	r.publish(step)
	begun := time.Now()
	out := r.lines(event.Log{Source: event.LogBuild})
	errs := r.lines(event.Log{Source: event.LogBuild, Stderr: true})
	last := &tail{}
	out.last, errs.last = last, last
	err := r.Shell.Run(ctx, r.model.Dir, command, out, errs)
	out.flush()
	errs.flush()
	step.Took, step.State = time.Since(begun), event.StepDone
	if err != nil {
		step.State, step.Detail = event.StepFailed, err.Error()
	}
	r.publish(step)
	if err != nil {
		f := &Failure{
			Model: r.id, What: fmt.Sprintf("build.run failed: %s", command),
			Why: err.Error(), Next: "run it yourself in " + r.model.Dir + ", or mend build.run",
		}
		f.Card.LastLogs = r.mask.lines(last.lines())
		return f.because(event.CauseNotBuilt)
	}
	return nil
}

// Image makes a model's image as Run does, and runs nothing of it. The error is a *Failure
// where the image cannot be made.
func (e *Emulator) Image(ctx context.Context, model string) (Image, error) {
	s := e.supervisor(model)
	if s == nil {
		return Image{}, fmt.Errorf("there is no model %s", model)
	}
	return s.serving.makeImage(ctx, s.enter, func(string, time.Duration) {})
}
