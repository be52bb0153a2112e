package control_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// reloads answers for a session that has one model, and writes down what it was asked.
func reloads(t *testing.T, s control.Session) (asked *[]string) {
	t.Helper()
	asked = new([]string)
	do := func(model, what string) error {
		*asked = append(*asked, what)
		if model != "" && model != "iris-1" {
			return fmt.Errorf("there is no model %s", model)
		}
		return nil
	}
	t.Cleanup(serveAll(t, s, &control.Server{
		Events: event.NewStream(),
		Reload: func(model string, rebuild bool) error { return do(model, fmt.Sprintf("reload %q %t", model, rebuild)) },
		Retry:  func(model string) error { return do(model, fmt.Sprintf("retry %q", model)) },
	}))
	return asked
}

func TestAReloadReachesTheSession(t *testing.T) {
	s := newSession(t)
	asked := reloads(t, s)
	for _, rebuild := range []bool{false, true} {
		if err := s.Reload(t.Context(), "iris-1", rebuild); err != nil {
			t.Error(err)
		}
	}
	if err := s.Reload(t.Context(), "", false); err != nil {
		t.Error(err)
	}
	if want := []string{`reload "iris-1" false`, `reload "iris-1" true`, `reload "" false`}; !slices.Equal(*asked, want) {
		t.Errorf("asked was %q, want %q", *asked, want)
	}
}

func TestAnUnknownModelIsRefusedWithTheSessionsOwnWords(t *testing.T) {
	s := newSession(t)
	reloads(t, s)
	const odd = "a&rebuild=true b/ü"
	for what, err := range map[string]error{"reload": s.Reload(t.Context(), odd, false), "retry": s.Retry(t.Context(), odd)} {
		if err == nil || !strings.Contains(err.Error(), "404 Not Found): there is no model "+odd) {
			t.Errorf("%s: the error is %v", what, err)
		}
	}
}

func TestNobodyReloadsWhereNothingRuns(t *testing.T) {
	if err := newSession(t).Reload(t.Context(), "iris-1", true); err != control.ErrNotRunning { //nolint:errorlint // it is the very one
		t.Errorf("error is %v", err)
	}
}

// What other programs may send to the socket.
func TestAReloadIsAskedForInOneWayOnly(t *testing.T) {
	s := newSession(t)
	asked := reloads(t, s)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", filepath.Join(s.Dir, "sock"))
	}}}
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/reload?model=iris-1&rebuild=yes", "", http.StatusBadRequest, "rebuild=yes: it is true or false"},
		{"POST", "/reload?model=iris-1&rebuild=", "", http.StatusAccepted, ""},
		{"POST", "/reload?model=iris-1&rebuild=false", "", http.StatusAccepted, ""},
		{"POST", "/reload?model=iris-1;rebuild=true", "", http.StatusBadRequest, "semicolon"},
		{"POST", "/reload?model=%zz", "", http.StatusBadRequest, "%zz"},
		{"POST", "/reload?model=other", "", http.StatusNotFound, "there is no model other"},
		{"POST", "/reload", "model=iris-1&rebuild=true", http.StatusAccepted, ""},
		{"GET", "/reload?model=iris-1", "", http.StatusMethodNotAllowed, "Method Not Allowed"},
		{"POST", "/reload/", "", http.StatusNotFound, "404"},
		{"POST", "/reloads", "", http.StatusNotFound, "404"},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			*asked = nil
			request, err := http.NewRequest(test.method, "http://session"+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			said, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || !strings.Contains(string(said), test.says) {
				t.Errorf("answered %s: %s", response.Status, said)
			}
			if test.status != http.StatusAccepted && test.status != http.StatusNotFound && len(*asked) > 0 {
				t.Errorf("it was asked %q", *asked)
			}
			if test.status == http.StatusAccepted && len(*asked) != 1 {
				t.Errorf("it was asked %q", *asked)
			}
		})
	}
}
