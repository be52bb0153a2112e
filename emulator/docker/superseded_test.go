package docker_test

import (
	"testing"

	"github.com/containerd/errdefs"

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
