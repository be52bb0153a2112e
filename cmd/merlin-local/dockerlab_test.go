//go:build unix

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
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// engineAPI asks the Docker Engine itself: the tests see what is there by another way
// than the program does.
type engineAPI struct {
	client http.Client
	base   string
}

// findEngine returns the Engine that the program would find, or an error.
var findEngine = sync.OnceValues(func() (*engineAPI, error) {
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		host = "unix:///var/run/docker.sock"
	}
	at, err := url.Parse(host)
	if err != nil {
		return nil, err
	}
	api := &engineAPI{base: "http://" + at.Host}
	if at.Scheme == "unix" {
		api.base = "http://engine"
		api.client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", at.Path)
		}}
	}
	return api, api.call(http.MethodGet, "/version", nil)
})

// call sends a request to the Engine and reads its answer; to what is not there is no
// error for DELETE.
func (e *engineAPI) call(method, path string, answer any) error {
	request, err := http.NewRequest(method, e.base+"/v1.41"+path, nil)
	if err != nil {
		return err
	}
	response, err := e.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case method == http.MethodDelete && response.StatusCode == http.StatusNotFound:
		return nil
	case response.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, body)
	case answer == nil || len(body) == 0:
		return nil
	}
	return json.Unmarshal(body, answer)
}

// made lists what carries the label of a session: containers, networks and volumes.
func (e *engineAPI) made(id string) (containers, others []string, err error) {
	filter := "filters=" + url.QueryEscape(`{"label":["dev.merlin-local.session=`+id+`"]}`)
	var listed []struct{ ID string }
	err = e.call(http.MethodGet, "/containers/json?all=true&"+filter, &listed)
	for _, c := range listed {
		containers = append(containers, c.ID)
	}
	var networks []struct{ Name string }
	err = errors.Join(err, e.call(http.MethodGet, "/networks?"+filter, &networks))
	for _, n := range networks {
		others = append(others, "network "+n.Name)
	}
	var volumes struct{ Volumes []struct{ Name string } }
	err = errors.Join(err, e.call(http.MethodGet, "/volumes?"+filter, &volumes))
	for _, v := range volumes.Volumes {
		others = append(others, "volume "+v.Name)
	}
	return containers, others, err
}

// forget removes all that carries the label of a session, images too.
func (e *engineAPI) forget(id string) error {
	containers, _, err := e.made(id)
	for _, c := range containers {
		err = errors.Join(err, e.call(http.MethodDelete, "/containers/"+c+"?force=true&v=true", nil))
	}
	var images []struct{ ID string }
	filter := url.QueryEscape(`{"label":["dev.merlin-local.session=` + id + `"]}`)
	err = errors.Join(err, e.call(http.MethodGet, "/images/json?filters="+filter, &images))
	for _, i := range images {
		err = errors.Join(err, e.call(http.MethodDelete, "/images/"+i.ID+"?force=true", nil))
	}
	return err
}

// lab is one model repo on the Engine, with a home of its own, and the real program.
type lab struct {
	*engineAPI
	t       testing.TB
	repo    string
	home    string
	program string
	session control.Session
	env     []string
}

// newLab makes a repo of the given files, or takes a folder that is there as it is.
func newLab(t testing.TB, repo string, files map[string]string) *lab {
	t.Helper()
	engine, err := findEngine()
	if err != nil {
		t.Skipf("SKIPPED, SO NOT PROVEN: no Docker Engine answers: %v", err)
	}
	program, err := realProgram()
	check(t, err)
	home, err := os.MkdirTemp("", "ml") // short: a socket's path ends at 104 bytes
	check(t, err)
	if repo == "" {
		repo = t.TempDir()
	}
	for name, content := range files {
		path := filepath.Join(repo, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(content), 0o644))
	}
	l := &lab{engineAPI: engine, t: t, repo: repo, home: home, program: program, session: control.Home(home).Session(repo)}
	l.env = append(os.Environ(), "MERLIN_LOCAL_HOME="+home)
	t.Cleanup(func() {
		if err := errors.Join(endAll(control.Home(home)), engine.forget(l.session.ID), os.RemoveAll(home)); err != nil {
			t.Error(err)
		}
	})
	return l
}

// realProgram is merlin-local as users have it, built once.
var realProgram = sync.OnceValues(func() (string, error) { return build("merlin-local", ".") })

// command is the program in the repo.
func (l *lab) command(args ...string) *exec.Cmd {
	c := exec.Command(l.program, args...)
	c.Dir, c.Env = l.repo, l.env
	return c
}

// run runs the program to its end and returns what it wrote, to both, and its code.
func (l *lab) run(args ...string) (output string, code int) {
	l.t.Helper()
	c := l.command(args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	return out.String(), c.ProcessState.ExitCode()
}

// must runs the program, which must not fail.
func (l *lab) must(args ...string) string {
	l.t.Helper()
	output, code := l.run(args...)
	if code != 0 {
		l.t.Fatalf("merlin-local %s: exit code %d:\n%s", strings.Join(args, " "), code, output)
	}
	return output
}

// up brings the models up in the background, on any free port.
func (l *lab) up(args ...string) string {
	l.t.Helper()
	return l.must(append([]string{"up", "-d", "--runtime", "docker", "--port", "0"}, args...)...)
}

// status is what the running session says of itself.
func (l *lab) status() session.State {
	l.t.Helper()
	var state session.State
	check(l.t, json.Unmarshal([]byte(l.must("status", "--json")), &state))
	return state
}

// get asks the session's port.
func (l *lab) get(path string) string {
	l.t.Helper()
	response, err := http.Get("http://" + l.status().Address + path)
	check(l.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(l.t, err)
	if response.StatusCode != http.StatusOK {
		l.t.Fatalf("GET %s: %s: %s", path, response.Status, body)
	}
	return string(body)
}

// nothingLeft fails where the session left something, on the Engine or on this host.
func (l *lab) nothingLeft() {
	l.t.Helper()
	containers, others, err := l.made(l.session.ID)
	check(l.t, err)
	if len(containers)+len(others) > 0 {
		l.t.Errorf("left on the Engine: %q %q", containers, others)
	}
	check(l.t, filepath.WalkDir(l.home, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !isSum(path) {
			l.t.Errorf("left: %s", path)
		}
		return err
	}))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func contains(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// await waits for what must come.
func await(t testing.TB, what string, holds func() bool) {
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
