package docker_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// withBothBuilders runs a test with BuildKit, and again behind a socket that refuses
// its session, as an Engine without BuildKit does.
func withBothBuilders(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Run("BuildKit", func(t *testing.T) { test(t, newLab(t)) })
	t.Run("classic", func(t *testing.T) { test(t, withoutBuildKit(t)) })
}

func withoutBuildKit(t *testing.T) *lab {
	return refusing(t, newLab(t), func(r *http.Request, _ string) (int, string) {
		if strings.HasSuffix(r.URL.Path, "/session") {
			return http.StatusNotFound, `{"message":"page not found"}`
		}
		return 0, ""
	})
}

// facts collects what a build reports.
type facts []event.Fact

func (f *facts) add(fact event.Fact) { *f = append(*f, fact) }

// states lists what became of the steps, in order, by name.
func (f facts) states(t *testing.T, name string) (states []event.StepState) {
	t.Helper()
	for _, fact := range f {
		if s, ok := fact.(event.Step); ok && strings.Contains(s.Name, name) && s.State != event.StepProgress {
			if s.Stage != event.StageBuild || s.ID == "" {
				t.Errorf("a step of the build is %+v", s)
			}
			states = append(states, s.State)
		}
	}
	return states
}

func (f facts) lines() (lines []string) {
	for _, fact := range f {
		if l, ok := fact.(event.Log); ok && l.Source == event.LogBuild {
			lines = append(lines, l.Text)
		}
	}
	return lines
}

func (l *lab) build(t *testing.T, m *emulator.Model) (emulator.Image, facts, error) {
	t.Helper()
	var reported facts
	made, err := l.Image(t.Context(), emulator.ImageSpec{Model: m, Revision: 7}, reported.add)
	return made, reported, err
}

// files lists what an image has at /mnt/models.
func (l *lab) files(t *testing.T, made emulator.Image) []string {
	t.Helper()
	s := spec(made)
	s.Command = []string{"/model", "print"}
	out, _ := logged(t, l.start(t, s))
	var seen self
	check(t, json.Unmarshal([]byte(out), &seen))
	return slices.Sorted(maps.Keys(seen.Files))
}

func failureOf(t *testing.T, err error) *emulator.Failure {
	t.Helper()
	var failure *emulator.Failure
	if !errors.As(err, &failure) {
		t.Fatalf("the error is %v", err)
	}
	return failure
}

func TestABuildMakesATaggedAndLabelledImage(t *testing.T) {
	withBothBuilders(t, func(t *testing.T, l *lab) {
		m := buildable(t, "FROM scratch AS first", "COPY model /model", "ARG WHO", "ARG NOBODY=else", "LABEL who=$WHO nobody=$NOBODY",
			`ENTRYPOINT ["/model"]`, `CMD ["print"]`, "FROM scratch AS second", "COPY missing /")
		m.Build.Target = "first"
		m.Build.Args = []merlin.EnvVar{{Name: "WHO", Value: "me $HOME"}}
		made, reported, err := l.build(t, m)
		check(t, err)

		if made.Reference != "merlin-local/fruits/apple-3:r7" || !strings.HasPrefix(made.ID, "sha256:") {
			t.Errorf("made %+v", made)
		}
		if !slices.Equal(made.Entrypoint, []string{"/model"}) || !slices.Equal(made.Cmd, []string{"print"}) {
			t.Errorf("runs %q %q", made.Entrypoint, made.Cmd)
		}
		found, err := l.api.ImageInspect(t.Context(), made.Reference)
		check(t, err)
		want := map[string]string{
			"who": "me $HOME", "nobody": "else", labelSession: l.session, "dev.merlin-local.project": "fruits",
			"dev.merlin-local.model": "apple-3", "dev.merlin-local.revision": "7", labelRun: run(),
		}
		if found.ID != made.ID || !maps.Equal(found.Config.Labels, want) {
			t.Errorf("image %s has labels %q", found.ID, found.Config.Labels)
		}
		if states := reported.states(t, "COPY model"); len(states) == 0 || states[len(states)-1] != event.StepDone && states[len(states)-1] != event.StepCached {
			t.Errorf("COPY went through %q", states)
		}
		_, reported, err = l.build(t, m)
		check(t, err)
		if states := reported.states(t, "COPY model"); !slices.Contains(states, event.StepCached) {
			t.Errorf("the second time COPY went through %q", states)
		}
	})
}

func TestABuildHonoursItsIgnoreFile(t *testing.T) {
	// The classic builder takes seconds; what it is sent is tested without it.
	t.Run("classic", func(t *testing.T) {
		l := withoutBuildKit(t)
		buildIgnoring(t, l, map[string]string{".dockerignore": "*\n!model\n!data/b.txt\n"}, []string{"b.txt"})
	})
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"none", nil, []string{"a.txt", "b.txt", "keep.md"}},
		{"patterns with a negation", map[string]string{
			".dockerignore": "# all but one\ndata/*\n!data/keep.md\n",
		}, []string{"keep.md"}},
		{"everything but what is named, the Dockerfile and itself too", map[string]string{
			".dockerignore": "*\n!model\n!data/b.txt\n",
		}, []string{"b.txt"}},
		{"the Dockerfile's own wins", map[string]string{
			".dockerignore":           "data/*\n!data/keep.md\n",
			"Dockerfile.dockerignore": "**/a.txt\n",
		}, []string{"b.txt", "keep.md"}},
	} {
		t.Run(test.name, func(t *testing.T) { buildIgnoring(t, newLab(t), test.files, test.want) })
	}
}

func buildIgnoring(t *testing.T, l *lab, ignoring map[string]string, want []string) {
	t.Helper()
	m := buildable(t, "FROM scratch", "COPY model /model", "COPY data /mnt/models")
	for name, content := range ignoring {
		write(t, filepath.Join(m.Build.Context, name), content)
	}
	for _, name := range []string{"a.txt", "b.txt", "keep.md"} {
		write(t, filepath.Join(m.Build.Context, "data", name), name)
	}
	made, _, err := l.build(t, m)
	check(t, err)
	if got := l.files(t, made); !slices.Equal(got, want) {
		t.Errorf("the image has %q, want %q", got, want)
	}
}

func TestADockerfileMayLieOutsideItsContext(t *testing.T) {
	withBothBuilders(t, func(t *testing.T, l *lab) {
		m := buildable(t)
		write(t, filepath.Join(m.Build.Context, "data.txt"), "x")
		m.Build.Dockerfile = filepath.Join(t.TempDir(), "apple.Dockerfile")
		write(t, m.Build.Dockerfile, labelled([]string{"FROM scratch", "COPY model /model", "COPY . /mnt/models"}))
		made, _, err := l.build(t, m)
		check(t, err)
		if got, want := l.files(t, made), []string{"Dockerfile", "data.txt", "model"}; !slices.Equal(got, want) {
			t.Errorf("the image has %q, want %q", got, want)
		}
	})
}

func TestAFailedBuildNamesItsStepAndLastLines(t *testing.T) {
	withBothBuilders(t, func(t *testing.T, l *lab) {
		m := buildable(t, "FROM scratch", "COPY model /model", `RUN ["/model", "fail"]`)
		_, reported, err := l.build(t, m)
		failure := failureOf(t, err)
		contains(t, failure.Error(), "apple-3: its image cannot be built", `RUN ["/model", "fail"]`, "3",
			"the first line of what went wrong", "the last line of what went wrong")
		contains(t, failure.Next, m.Build.Dockerfile)
		if states := reported.states(t, "RUN"); !slices.Equal(states, []event.StepState{"started", "failed"}) {
			t.Errorf("RUN went through %q", states)
		}
		if lines := reported.lines(); !slices.Contains(lines, "the first line of what went wrong") {
			t.Errorf("the build wrote %q", lines)
		}
	})
}

func TestWhatABuildNeedsIsMissed(t *testing.T) {
	l := newLab(t)
	m := buildable(t)
	m.Build.Dockerfile += ".not"
	_, _, err := l.build(t, m)
	contains(t, failureOf(t, err).Why, m.Build.Dockerfile)
	m.Build.Context += "/not"
	_, _, err = l.build(t, m)
	contains(t, failureOf(t, err).Why, m.Build.Context)

	m = buildable(t)
	m.Build.Target = "nothing"
	_, _, err = l.build(t, m)
	contains(t, failureOf(t, err).Next, "build.target")
	m = buildable(t)
	m.Build.Secrets = []emulator.BuildSecret{{ID: "token", File: "/no/token"}}
	_, _, err = l.build(t, m)
	contains(t, err.Error(), "token", "/no/token")
}

func TestABuildMountsSecretsAndCaches(t *testing.T) {
	l := newLab(t)
	t.Setenv("TEST_BUILD_SECRET", "from a variable")
	m := buildable(t, "FROM scratch", "COPY model /model",
		`RUN --mount=type=secret,id=file ["/model", "check-secret", "/run/secrets/file", "from a file"]`,
		`RUN --mount=type=secret,id=env ["/model", "check-secret", "/run/secrets/env", "from a variable"]`,
		"ARG TURN", "ENV TURN=$TURN",
		`RUN --mount=type=cache,id=`+l.session+`,target=/cache ["/model", "count", "/cache/n"]`)
	path := filepath.Join(t.TempDir(), "secret")
	write(t, path, "from a file")
	m.Build.Secrets = []emulator.BuildSecret{{ID: "file", File: path}, {ID: "env", Env: "TEST_BUILD_SECRET"}}
	for _, turn := range []string{"1", "2"} {
		m.Build.Args = []merlin.EnvVar{{Name: "TURN", Value: turn}}
		_, reported, err := l.build(t, m)
		check(t, err)
		if lines := reported.lines(); !slices.Contains(lines, "count is "+turn) {
			t.Errorf("in turn %s the build wrote %q", turn, lines)
		}
	}
}

func TestABuildEndsWithItsContext(t *testing.T) {
	l := newLab(t)
	m := buildable(t, "FROM scratch", "COPY model /model", `RUN ["/model", "serve"]`)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := l.Image(ctx, emulator.ImageSpec{Model: m, Revision: 1}, func(f event.Fact) {
		if line, ok := f.(event.Log); ok && line.Text == "serving" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
