package docker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	"go.uber.org/goleak"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := os.RemoveAll(binaryFolder()); err != nil && code == 0 {
			code = 1
		}
		os.Exit(code)
	}))
}

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
}

func newLab(t *testing.T, change ...func(*docker.Options)) *lab {
	t.Helper()
	l := &lab{session: fmt.Sprintf("test-%d-%d", os.Getpid(), time.Now().UnixNano())}
	options := docker.Options{Session: l.session, Project: "fruits"}
	for _, c := range change {
		c(&options)
	}
	runtime, err := docker.Connect(t.Context(), options)
	if missing := (*docker.NoEngineError)(nil); errors.As(err, &missing) {
		t.Skip("SKIPPED: no Docker Engine answers: ", missing)
	}
	check(t, err)
	l.Runtime = runtime
	l.api, err = client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	check(t, err)
	t.Cleanup(func() { l.close(t) })
	return l
}

// close removes everything of the session, and fails where something but images was
// left.
func (l *lab) close(t *testing.T) {
	ctx := context.Background()
	if left := l.left(t); len(left) > 0 && !t.Failed() {
		t.Errorf("left behind: %s", left)
	}
	if err := l.Sweep(ctx); err != nil {
		t.Error(err)
	}
	images, err := l.api.ImageList(ctx, image.ListOptions{All: true, Filters: l.own()})
	if err != nil {
		t.Error(err)
	}
	for _, i := range images {
		if _, err := l.api.ImageRemove(ctx, i.ID, image.RemoveOptions{Force: true}); err != nil {
			t.Log(err)
		}
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

// model is one without anything that runs it.
func model() *emulator.Model {
	return &emulator.Model{Deployment: merlin.Deployment{
		Project: "fruits", Model: "apple", Version: "3", Protocol: merlin.HTTPJSON,
	}}
}

// buildable is a model with a build context of its own. Without lines its image is the
// test's model and nothing else.
func buildable(t *testing.T, dockerfile ...string) *emulator.Model {
	t.Helper()
	if len(dockerfile) == 0 {
		dockerfile = []string{"FROM scratch", "COPY model /model", `ENTRYPOINT ["/model"]`}
	}
	dir := t.TempDir()
	check(t, os.Link(modelBinary(t), filepath.Join(dir, "model")))
	write(t, filepath.Join(dir, "Dockerfile"), strings.Join(dockerfile, "\n")+"\n")
	m := model()
	m.Build = &emulator.Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}
	return m
}

func spec(image emulator.Image, args ...string) emulator.ContainerSpec {
	return emulator.ContainerSpec{Model: model(), Revision: 1, Image: image, Args: args, Port: 8080, Hostname: "apple-3-pod"}
}

// binaryFolder is where modelBinary puts its file, until the last test is over.
var binaryFolder = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "merlin-local-docker-test-")
	if err != nil {
		panic(err)
	}
	return dir
})

var builtModel = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryFolder(), "model")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./testdata/model")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return path, nil
})

// modelBinary is the program of testdata/model, built once.
func modelBinary(t *testing.T) string {
	t.Helper()
	path, err := builtModel()
	check(t, err)
	return path
}

// exited waits for a container's end.
func exited(t *testing.T, c emulator.Container) emulator.Exit {
	t.Helper()
	select {
	case exit := <-c.Exited():
		return exit
	case <-time.After(patience):
		t.Fatal("no exit was reported")
		return emulator.Exit{}
	}
}

// logged reads all that a container wrote, until it ended.
func logged(t *testing.T, c emulator.Container) (stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	check(t, c.Logs(t.Context(), &out, &errs))
	return out.String(), errs.String()
}

func write(t *testing.T, path, content string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, []byte(content), 0o644))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	end := time.After(patience)
	for !holds() {
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("it never came that %s", what)
		}
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}
