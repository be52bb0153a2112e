//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// asideOf is the fake model, served by exec beside its repo's own session.
func asideOf(t *testing.T, flags string) *aside {
	t.Helper()
	program, err := fakemodel()
	check(t, err)
	home, err := os.MkdirTemp("", "ml")
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(home)) })
	t.Setenv("MERLIN_LOCAL_HOME", home)
	repo := t.TempDir()
	check(t, os.WriteFile(filepath.Join(repo, "merlin-local.yaml"), []byte("model: iris\nexec: "+program+" "+flags+"\n"), 0o644))
	file, err := config.Load(config.Options{Dir: repo})
	check(t, err)
	models, err := runnable(file)
	check(t, err)
	return &aside{engineOptions: engineOptions{runtime: "process", reach: "auto"}, file: file, models: models}
}

func TestAnAsideSessionServesBesideTheReposOwnAndLeavesNothing(t *testing.T) {
	a := asideOf(t, "")
	lock, err := control.FindHome().Session(a.file.Dir).Acquire(control.Owner{PID: os.Getpid(), Dir: a.file.Dir})
	check(t, err) // the repo's own session runs
	var told strings.Builder
	a.progress = &told
	meant := errors.New("what it was for")
	err = a.use(t.Context(), func(ctx context.Context, state *session.State) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, state.Models[0].URLs.Predict, strings.NewReader(`{"instances":[1]}`))
		check(t, err)
		request.Host = state.Models[0].URLs.Host
		response, err := http.DefaultClient.Do(request)
		check(t, err)
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusOK {
			t.Errorf("it answered %s: %s", response.Status, body)
		}
		return meant
	})
	if !errors.Is(err, meant) {
		t.Errorf("the error is %v", err)
	}
	if !strings.Contains(told.String(), "iris-1  ready in") {
		t.Errorf("it told:\n%s", told.String())
	}
	check(t, lock.Release())
	if left, _ := filepath.Glob(filepath.Join(string(control.FindHome()), "s", "*")); len(left) > 0 {
		t.Errorf("it left %q", left)
	}
}

func TestAnAsideSessionThatFailsSaysWhy(t *testing.T) {
	a := asideOf(t, "-exit 3")
	err := a.use(t.Context(), func(context.Context, *session.State) error {
		t.Error("it was used")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "FAILED") || !strings.Contains(err.Error(), "next:") {
		t.Errorf("the error is %v", err)
	}
}

func TestAnImageTakesThePlaceOfABuild(t *testing.T) {
	m := &emulator.Model{Build: &emulator.Build{}, Exec: "serve"}
	other := withImage(m, "acme/iris:v2")
	if other.Build != nil || other.Exec != "" || other.Deployment.Image != "acme/iris:v2" || m.Build == nil {
		t.Errorf("it is %+v of %+v", other, m)
	}
}
