package docker_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// shelf is a registry on loopback with one image, which the Engine forgets after the
// test.
type shelf struct{ host, image string }

const (
	user     = "ann"
	password = "right"
)

// newShelf puts an image for an architecture on a registry. A private one asks for
// user and password.
func newShelf(t *testing.T, l *lab, architecture string, private bool) shelf {
	t.Helper()
	open := registry.New(registry.Logger(quiet()))
	transport := &http.Transport{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, secret, _ := r.BasicAuth()
		if private && r.Header.Get("Test-Push") == "" && (given != user || secret != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="shelf"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return
		}
		open.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { transport.CloseIdleConnections(); server.CloseClientConnections(); server.Close() })
	s := shelf{host: server.Listener.Addr().String()}
	s.image = s.host + "/shop/apple:" + filepath.Base(t.TempDir())
	s.push(t, architecture, pusher{transport})
	t.Cleanup(func() {
		_, _ = l.api.ImageRemove(context.Background(), s.image, image.RemoveOptions{Force: true})
	})
	return s
}

// pusher passes by the private registry's question.
type pusher struct{ http.RoundTripper }

func (p pusher) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Test-Push", "yes")
	return p.RoundTripper.RoundTrip(r)
}

func (s shelf) push(t *testing.T, architecture string, through http.RoundTripper) {
	t.Helper()
	made, err := random.Image(64<<10, 2)
	check(t, err)
	config, err := made.ConfigFile()
	check(t, err)
	config.Architecture, config.OS = architecture, "linux"
	config.Config.Entrypoint = []string{"/pulled"}
	made, err = mutate.ConfigFile(made, config)
	check(t, err)
	reference, err := name.ParseReference(s.image, name.Insecure)
	check(t, err)
	check(t, remote.Write(reference, made, remote.WithTransport(through)))
}

func pulled(reference string) emulator.ImageSpec {
	m := model()
	m.Deployment.Image = reference
	return emulator.ImageSpec{Model: m, Revision: 1}
}

// withConfig gives the Runtime a CLI config of its own.
func withConfig(t *testing.T, content string) func(*docker.Options) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.json"), content)
	return environment("DOCKER_CONFIG", dir)
}

func auths(host, password string) string {
	return fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

func architecture(t *testing.T, l *lab) string {
	t.Helper()
	version, err := l.api.ServerVersion(t.Context())
	check(t, err)
	return version.Arch
}

func TestAMissingImageIsPulledOnce(t *testing.T) {
	l := newLab(t)
	s := newShelf(t, l, architecture(t, l), false)
	var reported facts
	made, err := l.Image(t.Context(), pulled(s.image), reported.add)
	check(t, err)
	if made.Reference != s.image || made.Entrypoint[0] != "/pulled" || made.Architecture != architecture(t, l) {
		t.Errorf("pulled %+v", made)
	}
	ended := map[event.StepState]int{}
	for _, f := range reported {
		step := f.(event.Step)
		if step.Stage != event.StagePull {
			t.Errorf("a step of the pull is %+v", step)
		}
		ended[step.State]++
	}
	if ended[event.StepStarted] != 3 || ended[event.StepDone] != 3 { // two layers and the image
		t.Errorf("steps went through %v", ended)
	}
	again, err := l.Image(t.Context(), pulled(s.image), func(f event.Fact) { t.Errorf("the second time it reported %+v", f) })
	check(t, err)
	if again.ID != made.ID {
		t.Errorf("the second time it is %s, not %s", again.ID, made.ID)
	}
}

func TestAPrivateImageIsPulledWithTheCLIsCredentials(t *testing.T) {
	l := newLab(t)
	s := newShelf(t, l, architecture(t, l), true)
	l = newLab(t, withConfig(t, auths(s.host, password)))
	_, err := l.Image(t.Context(), pulled(s.image), func(event.Fact) {})
	check(t, err)
}

func TestAPrivateImageIsPulledWithACredentialHelper(t *testing.T) {
	l := newLab(t)
	s := newShelf(t, l, architecture(t, l), true)
	helpers := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\ncat >/dev/null\necho '{\"ServerURL\": %q, \"Username\": %q, \"Secret\": %q}'\n", s.host, user, password)
	check(t, os.WriteFile(filepath.Join(helpers, "docker-credential-shelf"), []byte(script), 0o755))
	t.Setenv("PATH", helpers+string(os.PathListSeparator)+os.Getenv("PATH"))
	l = newLab(t, withConfig(t, fmt.Sprintf(`{"credHelpers": {%q: "shelf"}}`, s.host)))
	_, err := l.Image(t.Context(), pulled(s.image), func(event.Fact) {})
	check(t, err)
}

func TestAPullThatIsRefusedSaysWhatToDo(t *testing.T) {
	l := newLab(t)
	s := newShelf(t, l, architecture(t, l), true)
	for what, config := range map[string]string{
		"no credentials":        `{}`,
		"wrong credentials":     auths(s.host, "wrong"),
		"a helper that is gone": fmt.Sprintf(`{"credHelpers": {%q: "gone"}}`, s.host),
	} {
		t.Run(what, func(t *testing.T) {
			l := newLab(t, withConfig(t, config))
			var reported facts
			_, err := l.Image(t.Context(), pulled(s.image), reported.add)
			failure := failureOf(t, err)
			contains(t, failure.Error(), "apple-3", s.image)
			contains(t, failure.Next, "docker login "+s.host)
			if strings.Contains(what, "helper") {
				contains(t, failure.Why, "docker-credential-gone")
			}
			if last := reported[len(reported)-1].(event.Step); last.State != event.StepFailed {
				t.Errorf("the last step is %+v", last)
			}
		})
	}
}

func TestAnImageThatIsNowhereSaysWhatToDo(t *testing.T) {
	l := newLab(t)
	s := newShelf(t, l, architecture(t, l), false)
	for reference, advice := range map[string]string{
		s.image + "not":     "check the spelling",
		"127.0.0.1:1/apple": "can be reached",
		"Not A Reference":   "registry/name:tag",
	} {
		_, err := l.Image(t.Context(), pulled(reference), func(event.Fact) {})
		failure := failureOf(t, err)
		contains(t, failure.Why, reference)
		contains(t, failure.Next, advice)
	}
}

func TestAnImageForAnotherArchitectureIsToldBeforeItStarts(t *testing.T) {
	l := newLab(t)
	foreign := "arm64"
	if architecture(t, l) == foreign {
		foreign = "amd64"
	}
	s := newShelf(t, l, foreign, false)
	_, err := l.Image(t.Context(), pulled(s.image), func(event.Fact) {})
	failure := failureOf(t, err)
	contains(t, failure.Error(), s.image+" is for "+foreign)
	contains(t, failure.Next, "--platform linux/"+architecture(t, l), "--allow-emulation")
	if failure.Card.Cause != event.CauseArchitecture || failure.Card.Certainty != event.Certain {
		t.Errorf("the card is %+v", failure.Card)
	}

	allowed := newLab(t, func(o *docker.Options) { o.AllowForeign = true })
	_, err = allowed.Image(t.Context(), pulled(s.image), func(event.Fact) {})
	check(t, err)
}

func TestABuildFetchesAPrivateBaseWithTheCLIsCredentials(t *testing.T) {
	withBothBuilders(t, func(t *testing.T, l *lab) {
		s := newShelf(t, l, architecture(t, l), true)
		_, _, err := l.again(t, withConfig(t, auths(s.host, "wrong"))).build(t, buildable(t, "FROM "+s.image, "COPY model /model"))
		contains(t, failureOf(t, err).Next, "docker login")
		_, _, err = l.again(t, withConfig(t, auths(s.host, password))).build(t, buildable(t, "FROM "+s.image, "COPY model /model"))
		check(t, err)
	})
}
