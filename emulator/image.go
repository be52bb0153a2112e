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
func (s *supervisor) makeImage(ctx context.Context) (Image, error) {
	begun := time.Now()
	if s.model.Build != nil {
		s.enter(event.PhaseBuilding, "")
		if err := s.runBuildCommand(ctx); err != nil {
			return Image{}, err
		}
	}
	pulling := false
	image, err := s.Runtime.Image(ctx, ImageSpec{Model: s.model, Revision: s.revision}, func(f event.Fact) {
		if step, ok := f.(event.Step); ok && step.Stage == event.StagePull && !pulling && s.model.Build == nil {
			pulling = true
			s.enter(event.PhasePulling, s.model.Deployment.Image)
		}
		s.publish(f)
	})
	if err != nil {
		return Image{}, s.imageFailed(err)
	}
	if s.model.Build != nil {
		s.publish(event.Built{Image: image.ID, Took: time.Since(begun)})
	}
	return image, nil
}

func (s *supervisor) imageFailed(err error) error {
	cause, what := event.CauseNoImage, "has no image that can run"
	if s.model.Build != nil {
		cause, what = event.CauseNotBuilt, "cannot be built"
	}
	failure := &Failure{Model: s.id, What: what, Why: err.Error()}
	_ = errors.As(err, &failure)
	if full := s.full(failure.What, errors.New(failure.Why)); full != nil {
		return full
	}
	return failure.because(cause)
}

// runBuildCommand runs build.run in the model repo.
func (s *supervisor) runBuildCommand(ctx context.Context) error {
	command := s.model.Build.Run
	if command == "" {
		return nil
	}
	step := event.Step{Stage: event.StageRun, ID: "build.run", Name: command, State: event.StepStarted}
	s.publish(step)
	begun := time.Now()
	out := s.lines(event.Log{Source: event.LogBuild})
	errs := s.lines(event.Log{Source: event.LogBuild, Stderr: true})
	err := s.Shell.Run(ctx, s.model.Dir, command, out, errs)
	out.flush()
	errs.flush()
	step.Took, step.State = time.Since(begun), event.StepDone
	if err != nil {
		step.State, step.Detail = event.StepFailed, err.Error()
	}
	s.publish(step)
	if err != nil {
		f := &Failure{
			Model: s.id, What: fmt.Sprintf("build.run failed: %s", command),
			Why: err.Error(), Next: "run it yourself in " + s.model.Dir + ", or mend build.run",
		}
		return f.because(event.CauseNotBuilt)
	}
	return nil
}
