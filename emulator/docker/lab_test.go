package docker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

const (
	labelSession = "dev.merlin-local.session"
	// patience is for what will come; no test depends on how long it takes.
	patience = time.Minute
)

// lab is a Runtime of a session of its own, which leaves nothing behind, and a second
// way to the same Engine to check on it.
type lab struct {
	*docker.Runtime
	api     *client.Client
	session string
	options docker.Options
}

func newLab(t *testing.T, change ...func(*docker.Options)) *lab {
	t.Helper()
	return connect(t, docker.Options{Getenv: os.Getenv}, change...)
}

// again is another session with the same options but for the changes.
func (l *lab) again(t *testing.T, change ...func(*docker.Options)) *lab {
	t.Helper()
	return connect(t, l.options, change...)
}

func connect(t *testing.T, options docker.Options, change ...func(*docker.Options)) *lab {
	t.Helper()
	for _, c := range change {
		c(&options)
	}
	options.Session = fmt.Sprintf("test-%d-%d", os.Getpid(), time.Now().UnixNano())
	l := &lab{session: options.Session, options: options}
	runtime, err := docker.Connect(t.Context(), options)
	if missing := (*docker.NoEngineError)(nil); errors.As(err, &missing) {
		t.Skip("SKIPPED: no Docker Engine answers: ", missing)
	}
	check(t, err)
	l.Runtime = runtime
	l.api, err = directly()
	check(t, err)
	t.Cleanup(func() { l.close(t) })
	return l
}

// directly connects to the Engine of this machine, whatever way the Runtime goes.
func directly() (*client.Client, error) {
	r, err := docker.Connect(context.Background(), docker.Options{})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	_, at, _ := strings.Cut(r.Describe(), " at ")
	host, _, _ := strings.Cut(at, " (")
	return client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
}

// environment sets a variable for the Runtime alone.
func environment(name, value string) func(*docker.Options) {
	return func(o *docker.Options) {
		others := o.Getenv
		o.Getenv = func(asked string) string {
			if asked == name {
				return value
			}
			return others(asked)
		}
	}
}

// close fails where the session left something, and removes it.
func (l *lab) close(t *testing.T) {
	if left := l.left(t); len(left) > 0 && !t.Failed() {
		t.Errorf("left behind: %s", left)
	}
	if err := l.Sweep(context.Background()); err != nil {
		t.Error(err)
	}
	_ = l.api.Close()
	_ = l.Close()
}

func (l *lab) own() filters.Args {
	return filters.NewArgs(filters.Arg("label", labelSession+"="+l.session))
}

// left lists the session's containers and volumes.
func (l *lab) left(t *testing.T) (names []string) {
	t.Helper()
	containers, err := l.api.ContainerList(context.Background(), container.ListOptions{All: true, Filters: l.own()})
	check(t, err)
	for _, c := range containers {
		names = append(names, "container "+c.Names[0])
	}
	volumes, err := l.api.VolumeList(context.Background(), volume.ListOptions{Filters: l.own()})
	check(t, err)
	for _, v := range volumes.Volumes {
		names = append(names, "volume "+v.Name)
	}
	return names
}

// image builds an image that runs the test's model.
func (l *lab) image(t *testing.T, dockerfile ...string) emulator.Image {
	t.Helper()
	made, err := l.Image(t.Context(), emulator.ImageSpec{Model: buildable(t, dockerfile...), Revision: 1}, func(event.Fact) {})
	check(t, err)
	return made
}

// start starts a container that the test removes.
func (l *lab) start(t *testing.T, spec emulator.ContainerSpec) emulator.Container {
	t.Helper()
	c, err := l.Start(t.Context(), spec)
	check(t, err)
	t.Cleanup(func() { check(t, c.Remove(context.Background())) })
	return c
}

func (l *lab) inspect(t *testing.T, c emulator.Container) container.InspectResponse {
	t.Helper()
	found, err := l.api.ContainerInspect(t.Context(), c.Started().Container)
	check(t, err)
	return found
}
