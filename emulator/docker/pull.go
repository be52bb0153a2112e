package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/pkg/jsonmessage"
	"github.com/docker/go-units"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// pull fetches an image with the user's credentials for its registry.
func (r *Runtime) pull(ctx context.Context, name string, report func(event.Fact)) error {
	host, err := registryOf(name)
	if err != nil {
		return &emulator.Failure{
			What: "its image cannot be pulled", Why: fmt.Sprintf("%q is no image reference: %v", name, err),
			Next: "write image as registry/name:tag",
		}
	}
	found, helperErr := credentials(r.cli, host)
	encoded, err := registry.EncodeAuthConfig(found)
	if err != nil {
		return fmt.Errorf("encode the credentials of %s: %w", host, err)
	}
	step := event.Step{Stage: event.StagePull, ID: name, Name: name, State: event.StepStarted}
	report(step)
	begun := time.Now()
	err = r.pullStream(ctx, name, encoded, report)
	step.Took, step.State = time.Since(begun), event.StepDone
	if err != nil {
		step.State, step.Detail = event.StepFailed, err.Error()
	}
	report(step)
	if err != nil && ctx.Err() == nil {
		return pullFailure(name, host, errors.Join(err, helperErr))
	}
	return err
}

func (r *Runtime) pullStream(ctx context.Context, name, credentials string, report func(event.Fact)) error {
	body, err := r.client.ImagePull(ctx, name, image.PullOptions{RegistryAuth: credentials})
	if err != nil {
		return err
	}
	defer body.Close()
	layers := newLayers(time.Now, report)
	decoder := json.NewDecoder(body)
	for {
		var m jsonmessage.JSONMessage
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if m.Error != nil {
			return m.Error
		}
		layers.add(m)
	}
}

// layers turns an Engine's words about layers into steps.
type layers struct {
	now    func() time.Time
	report func(event.Fact)
	known  map[string]*layer
}

type layer struct {
	begun, told time.Time
	ended       bool
}

// progressEvery is how often one layer's progress is told: the Engine tells it ten
// times a second for each.
const progressEvery = 300 * time.Millisecond

func newLayers(now func() time.Time, report func(event.Fact)) *layers {
	return &layers{now: now, report: report, known: map[string]*layer{}}
}

func (l *layers) add(m jsonmessage.JSONMessage) {
	if m.ID == "" || strings.HasPrefix(m.Status, "Pulling from") {
		return
	}
	step := event.Step{Stage: event.StagePull, ID: m.ID, Name: "layer " + m.ID}
	known := l.known[m.ID]
	if known == nil {
		known = &layer{begun: l.now()}
		l.known[m.ID] = known
		step.State = event.StepStarted
		l.report(step)
	}
	switch m.Status {
	case "Pull complete":
		step.State, step.Took = event.StepDone, l.now().Sub(known.begun)
	case "Already exists":
		step.State = event.StepCached
	default:
		step.State, step.Detail = event.StepProgress, progress(m)
		if l.now().Sub(known.told) < progressEvery {
			return
		}
		known.told = l.now()
	}
	if !known.ended {
		l.report(step)
	}
	known.ended = step.State != event.StepProgress
}

func progress(m jsonmessage.JSONMessage) string {
	if m.Progress == nil || m.Progress.Current == 0 {
		return m.Status
	}
	text := m.Status + " " + units.HumanSize(float64(m.Progress.Current))
	if m.Progress.Total > 0 {
		text += " of " + units.HumanSize(float64(m.Progress.Total))
	}
	return text
}
