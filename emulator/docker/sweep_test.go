package docker_test

import (
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/volume"
)

func TestSweepRemovesWhatItsSessionLeftAndNothingElse(t *testing.T) {
	mine, other := newLab(t), newLab(t)
	image := mine.image(t)
	for range 3 {
		_, err := mine.Start(t.Context(), spec(image)) // as an up that was killed
		check(t, err)
	}
	_, err := mine.api.VolumeCreate(t.Context(), volume.CreateOptions{Labels: map[string]string{
		labelSession: mine.session, "dev.merlin-local.role": "artifact",
	}})
	check(t, err)
	living := other.start(t, spec(image))
	// A container of our image has the image's labels, though we did not make it.
	stranger, err := mine.api.ContainerCreate(t.Context(), &container.Config{Image: image.ID, Cmd: []string{"serve"}}, nil, nil, nil, "")
	check(t, err)
	defer func() { check(t, mine.api.ContainerRemove(t.Context(), stranger.ID, container.RemoveOptions{})) }()

	sessions, err := other.Sessions(t.Context())
	check(t, err)
	if !slices.Contains(sessions, mine.session) || !slices.Contains(sessions, other.session) || slices.Contains(sessions, "") {
		t.Errorf("sessions are %q", sessions)
	}

	check(t, other.SweepSession(t.Context(), mine.session))
	if left := mine.left(t); len(left) != 1 { // the stranger
		t.Errorf("left behind: %s", left)
	}
	if !other.inspect(t, living).State.Running {
		t.Error("another session's container was ended")
	}
	if _, err := mine.api.ContainerInspect(t.Context(), stranger.ID); err != nil {
		t.Errorf("a stranger's container is gone: %v", err)
	}
	if err := other.SweepSession(t.Context(), ""); err == nil {
		t.Error("a sweep of no session was accepted")
	}
}
