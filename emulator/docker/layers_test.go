package docker

import (
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/pkg/jsonmessage"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestAPullTellsEachLayerAFewTimesASecond(t *testing.T) {
	var told []event.Step
	now := time.Unix(0, 0)
	l := newLayers(func() time.Time { return now }, func(f event.Fact) { told = append(told, f.(event.Step)) })
	l.add(jsonmessage.JSONMessage{Status: "Pulling from shop/apple", ID: "latest"})
	for i := range int64(100) { // ten seconds, ten times a second
		l.add(jsonmessage.JSONMessage{Status: "Downloading", ID: "abc", Progress: &jsonmessage.JSONProgress{Current: i * 1000, Total: 100_000}})
		now = now.Add(100 * time.Millisecond)
	}
	l.add(jsonmessage.JSONMessage{Status: "Pull complete", ID: "abc"})
	l.add(jsonmessage.JSONMessage{Status: "Pull complete", ID: "abc"})
	l.add(jsonmessage.JSONMessage{Status: "Already exists", ID: "def"})
	l.add(jsonmessage.JSONMessage{Status: "Status: Downloaded newer image"})

	var states []event.StepState
	for _, s := range told {
		if s.State != event.StepProgress {
			states = append(states, s.State)
		}
	}
	if want := []event.StepState{"started", "done", "started", "cached"}; !slices.Equal(states, want) {
		t.Errorf("states are %q, want %q", states, want)
	}
	if progress := len(told) - len(states); progress < 20 || progress > 40 {
		t.Errorf("progress was told %d times in 10 s", progress)
	}
	if last := told[len(told)-4]; last.Detail != "Downloading 99kB of 100kB" {
		t.Errorf("the last progress is %+v", last)
	}
}
