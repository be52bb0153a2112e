//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// debugpyPackages are Debian's debugpy, with what it imports.
var debugpyPackages = []string{"python3-debugpy", "python3-pydevd", "python3-bytecode"}

// withDebugpy puts debugpy into a build context, as Debian packages have it, and has a
// Dockerfile copy it. A base image that has it needs neither.
func (l *lab) withDebugpy() {
	l.t.Helper()
	var base struct{ Comment string } // base-image.sh says there what it installed
	check(l.t, l.call(http.MethodGet, "/images/"+pythonBase+"/json", &base))
	if strings.Contains(base.Comment, "python3-debugpy") {
		return
	}
	debs := l.t.TempDir()
	check(l.t, os.Chmod(debs, 0o755)) // apt downloads as a user of its own
	for _, command := range [][]string{append([]string{"apt-get", "download"}, debugpyPackages...), {"sh", "-c", `for deb in *.deb; do dpkg-deb -x "$deb" root || exit; done`}} {
		c := exec.Command(command[0], command[1:]...)
		c.Dir = debs
		if out, err := c.CombinedOutput(); err != nil {
			l.t.Skipf("SKIPPED, SO NOT PROVEN: the base image has no debugpy (make it again with base-image.sh --force), and its packages cannot be had: %v: %s", err, out)
		}
	}
	const packages = "usr/lib/python3/dist-packages"
	check(l.t, os.CopyFS(filepath.Join(l.repo, "debugpy-packages"), os.DirFS(filepath.Join(debs, "root", packages))))
	dockerfile := filepath.Join(l.repo, "Dockerfile")
	text, err := os.ReadFile(dockerfile)
	check(l.t, err)
	with := strings.Replace(string(text), "WORKDIR /app\n", "WORKDIR /app\nCOPY debugpy-packages/ /"+packages+"/\n", 1)
	check(l.t, os.WriteFile(dockerfile, []byte(with), 0o644))
	ignore, err := os.ReadFile(filepath.Join(l.repo, ".dockerignore"))
	check(l.t, err)
	check(l.t, os.WriteFile(filepath.Join(l.repo, ".dockerignore"), append(ignore, "\n!debugpy-packages\n"...), 0o644))
}

// dap speaks to a debugger in the Debug Adapter Protocol, as editors do.
type dap struct {
	*editor
	reader *textproto.Reader
	seq    int
	events []dapMessage // that came while something else was waited for
}

type dapMessage struct {
	Type       string
	Event      string
	RequestSeq int `json:"request_seq"`
	Success    bool
	Message    string
	Body       json.RawMessage
}

func (l *lab) attachDAP() *dap {
	l.t.Helper()
	e := l.attach()
	return &dap{editor: e, reader: textproto.NewReader(bufio.NewReader(e.conn))}
}

// send asks for something and returns the question's number.
func (d *dap) send(command string, arguments any) int {
	d.t.Helper()
	d.seq++
	body, err := json.Marshal(map[string]any{"seq": d.seq, "type": "request", "command": command, "arguments": arguments})
	check(d.t, err)
	_, err = fmt.Fprintf(d.conn, "Content-Length: %d\r\n\r\n%s", len(body), body)
	check(d.t, err)
	return d.seq
}

func (d *dap) read() dapMessage {
	d.t.Helper()
	header, err := d.reader.ReadMIMEHeader()
	check(d.t, err)
	length, err := strconv.Atoi(header.Get("Content-Length"))
	check(d.t, err)
	body := make([]byte, length)
	_, err = io.ReadFull(d.reader.R, body)
	check(d.t, err)
	var m dapMessage
	check(d.t, json.Unmarshal(body, &m))
	return m
}

// answered waits for the answer to a question, which must be a success.
func (d *dap) answered(question int, answer any) {
	d.t.Helper()
	for {
		m := d.read()
		if m.Type == "event" {
			d.events = append(d.events, m)
			continue
		}
		if m.RequestSeq != question {
			continue
		}
		if !m.Success {
			d.t.Fatalf("debugpy refuses question %d: %s %s", question, m.Message, m.Body)
		}
		if answer != nil {
			check(d.t, json.Unmarshal(m.Body, answer))
		}
		return
	}
}

func (d *dap) ask(command string, arguments, answer any) {
	d.t.Helper()
	d.answered(d.send(command, arguments), answer)
}

// happens waits for an event.
func (d *dap) happens(event string, body any) {
	d.t.Helper()
	for {
		if i := slices.IndexFunc(d.events, func(m dapMessage) bool { return m.Event == event }); i >= 0 {
			m := d.events[i]
			d.events = slices.Delete(d.events, i, i+1)
			if body != nil {
				check(d.t, json.Unmarshal(m.Body, body))
			}
			return
		}
		if m := d.read(); m.Type == "event" {
			d.events = append(d.events, m)
		}
	}
}

// lineOf is the number of the first line of a file that has a text.
func (l *lab) lineOf(file, text string) int {
	l.t.Helper()
	content, err := os.ReadFile(filepath.Join(l.repo, file))
	check(l.t, err)
	for i, line := range strings.Split(string(content), "\n") {
		if strings.Contains(line, text) {
			return i + 1
		}
	}
	l.t.Fatalf("%s has no line with %q", file, text)
	return 0
}

// configured attaches as an editor does with the launch configuration that up printed, and
// sets one breakpoint.
func (l *lab) configured(file string, line int) *dap {
	l.t.Helper()
	var launch struct {
		Type, Request string
		PathMappings  []struct {
			LocalRoot  string `json:"localRoot"`
			RemoteRoot string `json:"remoteRoot"`
		} `json:"pathMappings"`
	}
	check(l.t, json.Unmarshal(l.status().Models[0].Debugger.Launch, &launch))
	for i := range launch.PathMappings {
		at := &launch.PathMappings[i]
		at.LocalRoot = strings.ReplaceAll(at.LocalRoot, "${workspaceFolder}", l.repo)
	}
	d := l.attachDAP()
	d.ask("initialize", map[string]any{
		"clientID": "test", "adapterID": launch.Type, "pathFormat": "path", "linesStartAt1": true, "columnsStartAt1": true,
	}, nil)
	attached := d.send(launch.Request, map[string]any{"pathMappings": launch.PathMappings, "justMyCode": true})
	d.happens("initialized", nil)
	var set struct{ Breakpoints []struct{ Verified bool } }
	d.ask("setBreakpoints", map[string]any{
		"source": map[string]any{"path": filepath.Join(l.repo, file)}, "breakpoints": []any{map[string]any{"line": line}},
	}, &set)
	if len(set.Breakpoints) != 1 || !set.Breakpoints[0].Verified {
		l.t.Fatalf("the breakpoint is %+v", set)
	}
	d.ask("configurationDone", map[string]any{}, nil)
	d.answered(attached, nil)
	return d
}

// predicting sends the sample's own request and tells its status once it is answered.
func (l *lab) predicting() <-chan int {
	l.t.Helper()
	request, err := os.ReadFile(filepath.Join(l.repo, "request.json"))
	check(l.t, err)
	url := l.status().Models[0].URLs.Predict
	answered := make(chan int, 1)
	go func() {
		response, err := http.Post(url, "application/json", strings.NewReader(string(request)))
		if err != nil {
			answered <- 0
			return
		}
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	return answered
}

// The whole process is halted at a breakpoint, its probes' answers too: for longer than
// the timeout of requests and the liveness probe allow, which has to leave Python the time to
// import all of it on a busy machine.
func TestDebugpyHaltsThePythonSampleAtABreakpoint(t *testing.T) {
	t.Parallel() // it waits, most of its time
	repo := t.TempDir()
	check(t, os.CopyFS(repo, os.DirFS(filepath.Join("..", "..", "sample-models", "churn-python"))))
	config, err := os.ReadFile(filepath.Join(repo, "merlin-local.yaml"))
	check(t, err)
	l := newLab(t, repo, map[string]string{"merlin-local.yaml": string(config) + `
timeout: 5
liveness_probe: { path: /, initial_delay: 1, period: 1, timeout: 1, failure_threshold: 30 }
`})
	skipWithoutPythonBase(t, l)
	l.withDebugpy()
	out := l.up("--debug", "--build-arg", "BASE_IMAGE="+pythonBase)
	contains(t, out, "debugger: debugpy at 127.0.0.1:", `"type": "debugpy"`, `"remoteRoot": "/app"`)
	line := l.lineOf("app.py", "customers = churn.parse(")
	d := l.configured("app.py", line)
	container := l.status().Models[0].ContainerID
	answered := l.predicting()
	var stopped struct {
		Reason   string
		ThreadID int `json:"threadId"`
	}
	d.happens("stopped", &stopped)
	var trace struct {
		StackFrames []struct {
			Name   string
			Line   int
			Source struct{ Path string }
		}
	}
	d.ask("stackTrace", map[string]any{"threadId": stopped.ThreadID}, &trace)
	if f := trace.StackFrames; stopped.Reason != "breakpoint" || len(f) == 0 || f[0].Line != line || f[0].Source.Path != filepath.Join(repo, "app.py") {
		t.Fatalf("halted for %q at %+v, want line %d", stopped.Reason, f, line)
	}
	app := filepath.Join(repo, "app.py")
	source, err := os.ReadFile(app)
	check(t, err)
	check(t, os.WriteFile(app, append(source, "\n# edited while it is halted\n"...), 0o644))
	await(t, "the edit is seen, and waits", func() bool {
		stale := l.status().Models[0].Stale
		return stale != nil && stale.Waits != ""
	})
	select { // longer than timeout and liveness allow
	case status := <-answered:
		t.Fatalf("answered with %d while it is halted", status)
	case <-time.After(33 * time.Second):
	}
	if m := l.status().Models[0]; m.ContainerID != container || m.Restarts != 0 || m.Serving.Number != 1 || !m.Debugger.Attached {
		t.Errorf("the model was not left in peace: %+v", m)
	}
	d.ask("continue", map[string]any{"threadId": stopped.ThreadID}, nil)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("answered with %d", status)
	}
	d.ask("disconnect", map[string]any{"terminateDebuggee": false}, nil)
	check(t, d.conn.Close())
	await(t, "the edit is served", func() bool {
		m := l.status().Models[0]
		return m.Serving.Number == 2 && m.Stale == nil && !m.Debugger.Attached
	})
	again := l.configured("app.py", line) // the new container's debugger, at the same port
	answered = l.predicting()
	again.happens("stopped", &stopped)
	check(t, again.conn.Close()) // an editor that crashes lets go, too
	if status := <-answered; status != http.StatusOK {
		t.Errorf("after the editor went, answered with %d", status)
	}
	l.must("down")
	l.nothingLeft()
}
