package docker

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/pkg/jsonmessage"
	"github.com/docker/go-units"
	controlapi "github.com/moby/buildkit/api/services/control"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// trace turns BuildKit's progress into steps and lines. It remembers what each step
// wrote last, for the failure.
type trace struct {
	report  func(event.Fact)
	now     func() time.Time
	steps   map[string]*buildStep
	failed  *buildStep // the first that failed by itself
	heading *regexp.Regexp
	past    pastBuild // what it did, for the build cache
}

func newTrace(report func(event.Fact)) *trace {
	// BuildKit names a step as the Dockerfile's line, with the stage and a number in front.
	heading := regexp.MustCompile(`^\[((?:.* )?)\d+/\d+\] ((\w+).*)`)
	return &trace{report: report, now: time.Now, steps: map[string]*buildStep{}, heading: heading}
}

// add takes a message of a build: those of BuildKit carry a status in protobuf.
func (t *trace) add(m jsonmessage.JSONMessage) error {
	if m.ID != "moby.buildkit.trace" || m.Aux == nil {
		return nil
	}
	var encoded []byte
	if err := json.Unmarshal(*m.Aux, &encoded); err != nil {
		return fmt.Errorf("read the build's progress: %w", err)
	}
	var status controlapi.StatusResponse
	if err := status.UnmarshalVT(encoded); err != nil {
		return fmt.Errorf("read the build's progress: %w", err)
	}
	for _, v := range status.Vertexes {
		t.vertex(v)
	}
	for _, s := range status.Statuses {
		t.progress(s)
	}
	for _, l := range status.Logs {
		t.step(l.Vertex).write(l.Msg, l.Stream == 2)
	}
	return nil
}

func (t *trace) step(id string) *buildStep {
	known := t.steps[id]
	if known == nil {
		known = &buildStep{report: t.report, step: event.Step{Stage: event.StageBuild, ID: id}}
		t.steps[id] = known
	}
	return known
}

// vertex reports a step's start and end, each once: BuildKit repeats itself.
func (t *trace) vertex(v *controlapi.Vertex) {
	s := t.step(v.Digest)
	if s.step.Name == "" {
		s.step.Name = v.Name
	}
	switch {
	case v.Completed != nil:
		state, detail := event.StepDone, v.Error
		if v.Cached {
			state = event.StepCached
		}
		if detail != "" {
			state = event.StepFailed
			if t.failed == nil && !strings.HasSuffix(detail, "context canceled") {
				t.failed = s
			}
		}
		if v.Started != nil {
			t.remember(v)
			s.step.Took = v.Completed.AsTime().Sub(v.Started.AsTime())
		}
		s.enter(state, detail)
	case v.Started != nil:
		s.enter(event.StepStarted, "")
	}
}

// remember notes when a step was carried out.
func (t *trace) remember(v *controlapi.Vertex) {
	from, till := v.Started.AsTime(), v.Completed.AsTime()
	if p := &t.past; p.Began.IsZero() || from.Before(p.Began) {
		p.Began = from
	}
	if p := &t.past; till.After(p.Done) {
		p.Done = till
	}
	kind, line := t.lineOf(v.Name)
	again := func(s pastStep) bool { return s.Vertex == v.Digest }
	if kind == "" || v.Error != "" || slices.ContainsFunc(t.past.Steps, again) {
		return
	}
	t.past.Steps = append(t.past.Steps, pastStep{Vertex: v.Digest, Line: line, Kind: kind, Cached: v.Cached, From: from, Till: till})
}

// lineOf tells what a step's line does, and repeats it with its stage's name.
func (t *trace) lineOf(name string) (kind stepKind, line string) {
	heading := t.heading.FindStringSubmatch(name)
	if heading == nil {
		return "", ""
	}
	switch strings.ToUpper(heading[3]) {
	case "COPY", "ADD", "WORKDIR":
		kind = stepFiles
	case "RUN":
		kind = stepRun
	}
	return kind, heading[1] + heading[2]
}

// progress reports a transfer that a step waits for.
func (t *trace) progress(status *controlapi.VertexStatus) {
	s := t.step(status.Vertex)
	if s.step.State != event.StepStarted || t.now().Sub(s.told) < progressEvery {
		return
	}
	s.told = t.now()
	step := s.step
	step.State, step.Detail = event.StepProgress, status.ID
	if status.Current > 0 {
		step.Detail += " " + units.HumanSize(float64(status.Current))
	}
	if status.Total > 0 {
		step.Detail += " of " + units.HumanSize(float64(status.Total))
	}
	t.report(step)
}

func (t *trace) failure(b *emulator.Build, err error) error {
	for _, s := range t.steps {
		s.flush()
	}
	return buildFailure(b, t.failed, err)
}
