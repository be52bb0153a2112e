package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"

	dockerbuild "github.com/docker/docker/api/types/build"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/jsonmessage"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	"github.com/tonistiigi/fsutil"
)

// build makes the Go sample's binary as its build.run does, and returns the repo.
func (s saver) build(b *testing.B) (repo string) {
	b.Helper()
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "bin/server", ".")
	c.Dir, c.Env = s.repo, append(c.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return s.repo
}

// buildKit builds images as `docker buildx` does: the Engine fetches over a session what
// changed. The classic builder takes some two seconds longer.
type buildKit struct {
	b      *testing.B
	lab    *lab
	client *client.Client
}

func newBuildKit(b *testing.B, l *lab) *buildKit {
	b.Helper()
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	check(b, err)
	b.Cleanup(func() { _ = api.Close() })
	return &buildKit{b, l, api}
}

// build builds a folder and returns the image's id.
func (k *buildKit) build(folder, tag string) string {
	k.b.Helper()
	id, err := k.tryBuild(context.Background(), folder, tag)
	check(k.b, err)
	return id
}

func (k *buildKit) tryBuild(ctx context.Context, folder, tag string) (id string, err error) {
	s, err := session.NewSession(ctx, folder)
	if err != nil {
		return "", err
	}
	files, err := fsutil.NewFS(folder)
	if err != nil {
		return "", err
	}
	s.Allow(filesync.NewFSSyncProvider(filesync.StaticDirSource{"context": files, "dockerfile": files}))
	ended := make(chan error, 1)
	go func() {
		ended <- s.Run(ctx, func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			return k.client.DialHijack(ctx, "/session", proto, meta)
		})
	}()
	defer func() { err = errors.Join(err, s.Close(), <-ended) }()
	answer, err := k.client.ImageBuild(ctx, nil, dockerbuild.ImageBuildOptions{
		Version: dockerbuild.BuilderBuildKit, SessionID: s.ID(), RemoteContext: "client-session", Dockerfile: "Dockerfile",
		Tags:   []string{"merlin-local/bench:" + tag},
		Labels: map[string]string{"dev.merlin-local.session": k.lab.session.ID}, // so that it goes with the lab
	})
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	for decoder := json.NewDecoder(answer.Body); ; {
		var m jsonmessage.JSONMessage
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return id, nil
		case err != nil:
			return "", err
		case m.Error != nil:
			return "", m.Error
		}
		var made struct{ ID string }
		if m.ID == "moby.image.id" && json.Unmarshal(*m.Aux, &made) == nil {
			id = made.ID
		}
	}
}

// bareContainer is one that the Engine was asked for directly, and what that took.
type bareContainer struct {
	r                          *benchedModel
	id                         string
	created, started, answered time.Duration
}

// bare runs an image with all that the session's own container has, and asks at its own
// address for its health, without a pause to speak of.
func (r *benchedModel) bare(image string) *bareContainer {
	r.b.Helper()
	containers, _, err := r.made(r.session.ID)
	check(r.b, err)
	var like struct{ Config, HostConfig map[string]any }
	check(r.b, r.call(http.MethodGet, "/containers/"+containers[0]+"/json", &like))
	like.Config["Image"], like.Config["HostConfig"] = image, like.HostConfig
	wanted, err := json.Marshal(like.Config)
	check(r.b, err)

	c := &bareContainer{r: r}
	var made struct{ ID string }
	begun := time.Now()
	check(r.b, r.post("/containers/create", wanted, &made))
	c.id, c.created = made.ID, time.Since(begun)
	begun = time.Now()
	check(r.b, r.post("/containers/"+c.id+"/start", nil, nil))
	c.started = time.Since(begun)
	begun = time.Now()
	var runs struct {
		NetworkSettings struct{ IPAddress string }
	}
	check(r.b, r.call(http.MethodGet, "/containers/"+c.id+"/json", &runs))
	asking := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	health := "http://" + runs.NetworkSettings.IPAddress + ":8080" + r.path
	untilSays(r.b, time.Millisecond, "", func() (*http.Response, error) { return asking.Get(health) })
	c.answered = time.Since(begun)
	return c
}

func (c *bareContainer) remove() {
	c.r.b.Helper()
	check(c.r.b, c.r.call(http.MethodDelete, "/containers/"+c.id+"?force=true", nil))
}

// post sends JSON to the Engine.
func (e *engineAPI) post(path string, body []byte, answer any) error {
	response, err := e.client.Post(e.base+"/v1.41"+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("POST %s: %s: %s", path, response.Status, text)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(text, answer)
}
