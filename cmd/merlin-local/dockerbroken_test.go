//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// breakable is a repo of one source file, and ways to break that. Its build begins once
// the file hold is gone.
type breakable struct {
	*lab
	file, hold         string
	original           string // of the file
	old, new           string // what the model answers at /, as it is and mended
	uncompilable       string
	crashing, mended   string
	notBuilt, notBegun []string // what status says of them
	crash              event.Cause
}

// breakableGo is the Go sample: build.run compiles it.
func breakableGo(t *testing.T) *breakable {
	b := &breakable{lab: newLab(t, "", nil), file: "server.go", old: `{"status":"alive"}`, new: `{"status":"alive again"}`}
	check(t, os.CopyFS(b.repo, os.DirFS(filepath.Join("..", "..", "sample-models", "iris-http-go"))))
	config := b.read("merlin-local.yaml")
	b.hold = filepath.Join(b.home, "hold")
	b.put("merlin-local.yaml", strings.Replace(config, "run: CGO_ENABLED", "run: "+b.waiting()+" CGO_ENABLED", 1))
	b.original = b.read(b.file)
	b.uncompilable = strings.Replace(b.original, `"alive"}`, `alive}`, 1)
	b.crashing = b.original + "\nfunc init() { panic(\"these weights are of another format\") }\n"
	b.mended = strings.Replace(b.original, `"alive"`, `"alive again"`, 1)
	b.notBuilt = []string{"build.run failed", "server.go:", "undefined: alive"}
	b.notBegun = []string{"exited with code 2 before it was ready", "panic: these weights are of another format"}
	b.crash = event.CauseException
	return b
}

const pythonModel = `import http.server, os, signal, sys

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"one")

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("", int(os.environ["CARAML_HTTP_PORT"])), Handler).serve_forever()
`

// breakablePython is a model in Python: its image's build compiles it.
func breakablePython(t *testing.T) *breakable {
	b := &breakable{file: "app.py", old: "one", new: "two", original: pythonModel}
	b.lab = newLab(t, "", map[string]string{
		"app.py":        pythonModel,
		".dockerignore": "*\n!app.py\n",
		"Dockerfile":    "FROM " + pythonBase + "\nCOPY app.py /app/\nRUN python3 -m py_compile /app/app.py\nCMD [\"python3\", \"/app/app.py\"]\n",
	})
	skipWithoutPythonBase(t, b.lab)
	b.hold = filepath.Join(b.home, "hold")
	b.put("merlin-local.yaml", "model: iris\nbuild:\n  context: .\n  run: "+b.waiting()+"\n")
	b.uncompilable = strings.Replace(b.original, "def do_GET(self):", "def do_GET(self:", 1)
	b.crashing = strings.Replace(b.original, "class Handler", "raise ValueError(\"these weights are of another format\")\n\nclass Handler", 1)
	b.mended = strings.Replace(b.original, `"one"`, `"two"`, 1)
	b.notBuilt = []string{"its image cannot be built", "SyntaxError", "def do_GET(self:"}
	b.notBegun = []string{"exited with code 1 before it was ready", "ValueError: these weights are of another format"}
	b.crash = event.CauseException
	return b
}

// waiting is a shell's loop that ends once nobody holds the build.
func (b *breakable) waiting() string {
	return "while [ -e " + b.hold + " ]; do sleep 0.05; done;"
}

func TestBrokenCodeLeavesTheOldRevisionServingUntilItIsMendedAndStatusSaysWhy(t *testing.T) {
	t.Parallel() // it waits, most of its time
	for name, make := range map[string]func(*testing.T) *breakable{"Go": breakableGo, "Python": breakablePython} {
		t.Run(name, func(t *testing.T) {
			b := make(t)
			b.up()
			w := b.witness("/")

			b.put(b.hold, "")
			b.put(b.file, b.uncompilable)
			b.moment("it is being made", b.file, 1, func(r *session.Reload) bool { return r.State == session.ReloadRuns })
			contains(t, b.must("status"), "revision 2 is being made since", "STALE: behind "+b.file)
			same(t, "answers", w.goesOn(t), []string{b.old})
			check(t, os.Remove(b.hold))
			b.fails("what does not compile failed", 2, event.CauseNotBuilt, b.notBuilt...)
			same(t, "answers", w.goesOn(t), []string{b.old})

			b.put(b.file, b.crashing)
			b.fails("what ends at its start failed", 3, b.crash, b.notBegun...)
			same(t, "answers", w.goesOn(t), []string{b.old})

			b.put(b.file, b.mended)
			b.serves(4)
			if answer := strings.TrimSpace(b.get("/")); answer != b.new {
				t.Errorf("once the mended one is told to serve %s answers", answer)
			}
			same(t, "answers", w.goesOn(t), []string{b.old, b.new})
			w.ends(t)
			b.must("down")
			b.nothingLeft()
		})
	}
}

// moment waits until status tells of the last reload what it should, and checks that the
// old revision serves meanwhile and is told to be behind the file.
func (l *lab) moment(what, file string, old int, holds func(r *session.Reload) bool) *session.Reload {
	l.t.Helper()
	var m *session.Model
	await(l.t, "status tells that "+what, func() bool {
		m = l.status().Models[0]
		return m.LastReload() != nil && holds(m.LastReload())
	})
	if m.Serving.Number != old || m.Phase != event.PhaseReady || m.Failure != nil {
		l.t.Errorf("%s: the phase is %s, %+v serves, the model's own failure is %+v", what, m.Phase, m.Serving, m.Failure)
	}
	if m.Stale == nil || !slices.Equal(m.Stale.Files, []string{file}) || m.Stale.Tier != event.TierRebuild || m.Stale.Waits != "" {
		l.t.Errorf("%s: what it is behind is told as %+v", what, m.Stale)
	}
	return m.LastReload()
}

// fails waits for the failure of a revision, and checks what is told of it: to people too.
func (b *breakable) fails(what string, revision int, cause event.Cause, says ...string) {
	b.t.Helper()
	r := b.moment(what, b.file, 1, func(r *session.Reload) bool {
		return r.Revision == revision && r.State == session.ReloadFailed
	})
	if r.Failure == nil || r.Failure.Cause != cause || r.Plan.File != b.file || r.Plan.Tier != event.TierRebuild {
		b.t.Fatalf("%s: told as %+v, %+v", what, r, r.Failure)
	}
	contains(b.t, strings.Join(append(r.Failure.LastLogs, r.Failure.What, r.Failure.Why), "\n"), says...)
	contains(b.t, b.must("status"), "revision 1 serves since", "STALE: behind "+b.file, fmt.Sprintf("revision %d will not serve: ", revision))
}

// serves waits until status tells that a revision serves, and that all is well.
func (l *lab) serves(revision int) {
	l.t.Helper()
	var m *session.Model
	await(l.t, fmt.Sprintf("status tells that revision %d serves", revision), func() bool {
		m = l.status().Models[0]
		return m.Serving.Number == revision
	})
	if r := m.LastReload(); m.Stale != nil || m.Failure != nil || r.State != session.ReloadServes || r.Failure != nil {
		l.t.Errorf("revision %d is told as stale %+v, failure %+v, reload %+v", revision, m.Stale, m.Failure, r)
	}
}

// read is a file of the repo; put replaces one at once, as editors do.
func (l *lab) read(name string) string {
	l.t.Helper()
	text, err := os.ReadFile(filepath.Join(l.repo, name))
	check(l.t, err)
	return string(text)
}

func (l *lab) put(name, content string) {
	l.t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.repo, name)
	}
	aside := filepath.Join(l.home, "written")
	check(l.t, os.WriteFile(aside, []byte(content), 0o755))
	check(l.t, os.Rename(aside, name))
}
