package docker_test

import (
	"strconv"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestAnImageThatANewerBuildReplacedIsRemovedOnceNothingRunsIt(t *testing.T) {
	l := newLab(t)
	m := buildable(t, "FROM scratch", "COPY model /model", "ARG TURN", "LABEL turn=$TURN", `ENTRYPOINT ["/model"]`)
	turn := func(name string) string {
		t.Helper()
		m.Build.Args = []merlin.EnvVar{{Name: "TURN", Value: name}}
		made, _, err := l.build(t, m)
		check(t, err)
		return made.ID
	}
	there := func(id string) bool {
		t.Helper()
		_, err := l.api.ImageInspect(t.Context(), id)
		if err != nil && !errdefs.IsNotFound(err) {
			t.Fatal(err)
		}
		return err == nil
	}

	first := turn("first")
	made, _, err := l.build(t, m)
	check(t, err)
	s := spec(made)
	s.Command = []string{"/model", "serve"}
	c := l.start(t, s)
	second := turn("second")
	if !there(first) {
		t.Error("the image of a running container is gone")
	}
	check(t, c.Remove(t.Context()))
	third := turn("third")
	if there(first) || there(second) || !there(third) {
		t.Errorf("there: first %v, second %v, third %v", there(first), there(second), there(third))
	}
}

func TestTheImagesOfTheLastTwoRevisionsAndTheOneInUseStay(t *testing.T) {
	l := newLab(t)
	m := buildable(t, "FROM scratch", "COPY model /model", "ARG TURN", "LABEL turn=$TURN", `ENTRYPOINT ["/model"]`)
	var made []emulator.Image
	for turn := range 5 {
		m.Build.Args = []merlin.EnvVar{{Name: "TURN", Value: strconv.Itoa(turn)}}
		spec := emulator.ImageSpec{Model: m, Revision: turn + 1}
		if turn > 0 {
			spec.Keep = made[0].ID
		}
		one, err := l.Image(t.Context(), spec, func(event.Fact) {})
		check(t, err)
		made = append(made, one)
	}
	for i, want := range []bool{true, false, false, true, true} {
		if _, err := l.api.ImageInspect(t.Context(), made[i].ID); (err == nil) != want {
			t.Errorf("revision %d: there %t, want %t", i+1, err == nil, want)
		}
	}
}
