//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const debugged = `model: iris
model_dir: model
timeout: 2
liveness_probe: { initial_delay: 1, period: 1, timeout: 1, failure_threshold: 1 }
debug:
  command: /fakedebugger :$(DEBUG_PORT)
  port: 4711
`

// debuggedLab is a repo whose image has a debugger, and its model under it.
func debuggedLab(t *testing.T, args ...string) *lab {
	t.Helper()
	l := modelRepo(t, debugged, "model/a.txt", "one", ".dockerignore", "*\n!fakemodel\n!fakedebugger\n",
		"Dockerfile", "FROM scratch\nCOPY fakemodel fakedebugger /\nENTRYPOINT [\"/fakemodel\"]\n")
	program, err := fakedebugger()
	check(t, err)
	check(t, os.Link(program, filepath.Join(l.repo, "fakedebugger")))
	contains(t, l.up(append([]string{"--debug"}, args...)...), "debugger: custom at 127.0.0.1:", "ready in")
	return l
}

// editor is connected with a debugger.
type editor struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func (l *lab) attach() *editor {
	l.t.Helper()
	conn, err := net.Dial("tcp", l.status().Models[0].Debugger.Address)
	check(l.t, err)
	l.t.Cleanup(func() { _ = conn.Close() })
	await(l.t, "a debugger is attached", func() bool { return l.status().Models[0].Debugger.Attached })
	return &editor{l.t, conn, bufio.NewReader(conn)}
}

func (e *editor) say(word string) {
	e.t.Helper()
	_, err := fmt.Fprintln(e.conn, word)
	check(e.t, err)
	if line, err := e.in.ReadString('\n'); err != nil || line != "done: "+word+"\n" {
		e.t.Fatalf("the debugger answers %q, %v", line, err)
	}
}

// ask sends a prediction and tells its status once it is there.
func (l *lab) ask() <-chan int {
	l.t.Helper()
	url := l.status().Models[0].URLs.Predict
	status := make(chan int, 1)
	go func() {
		response, err := http.Post(url, "application/json", strings.NewReader("{}"))
		if err != nil {
			status <- 0
			return
		}
		_ = response.Body.Close()
		status <- response.StatusCode
	}()
	return status
}

// A model that a debugger halts is no model that hangs: its request outlives the timeout,
// its liveness probe kills nothing, and an edit waits until the debugger is gone.
func TestAModelThatADebuggerHaltsIsLeftInPeace(t *testing.T) {
	t.Parallel() // it waits, most of its time
	for _, reach := range []string{"auto", "published"} {
		t.Run(reach, func(t *testing.T) {
			l := debuggedLab(t, "--reach", reach)
			var made struct {
				HostConfig struct {
					PortBindings map[string][]struct{ HostIP string }
				}
			}
			container := l.status().Models[0].ContainerID
			check(t, l.call(http.MethodGet, "/containers/"+container+"/json", &made))
			for _, bindings := range made.HostConfig.PortBindings {
				for _, b := range bindings {
					if b.HostIP != "127.0.0.1" {
						t.Errorf("published at %q", b.HostIP)
					}
				}
			}
			e := l.attach()
			e.say("halt")
			answer := l.ask()
			check(t, os.WriteFile(filepath.Join(l.repo, "model/a.txt"), []byte("two"), 0o644))
			await(t, "the edit is seen, and waits", func() bool {
				stale := l.status().Models[0].Stale
				return stale != nil && stale.Waits != ""
			})
			select { // longer than timeout and liveness allow
			case status := <-answer:
				t.Fatalf("the request was answered with %d", status)
			case <-time.After(6 * time.Second):
			}
			m := l.status().Models[0]
			if m.ContainerID != container || m.Restarts != 0 || m.Serving.Number != 1 {
				t.Errorf("the model was not left in peace: %+v", m)
			}
			contains(t, l.must("status"), "STALE: behind model/a.txt: the reload waits: a debugger is attached", "attached: no timeout passes")
			contains(t, l.must("status", "--parity"), "the container has the capability SYS_PTRACE")
			e.say("continue")
			if status := <-answer; status != http.StatusOK {
				t.Errorf("the request is answered with %d", status)
			}
			check(t, e.conn.Close())
			await(t, "the edit is served", func() bool {
				s := l.status().Models[0]
				return s.Serving.Number == 2 && s.Stale == nil && !s.Debugger.Attached
			})
			l.attach().say("continue") // at the new container's debugger
			l.must("down")
			l.nothingLeft()
		})
	}
}

func TestOnceTheDebuggerIsGoneAModelThatHangsIsKilledAgain(t *testing.T) {
	l := debuggedLab(t, "--no-watch")
	e := l.attach()
	check(t, e.conn.Close())
	await(t, "it is gone", func() bool { return !l.status().Models[0].Debugger.Attached })
	out, err := exec.Command("kill", "-STOP", fmt.Sprint(l.child())).CombinedOutput()
	if err != nil {
		t.Skipf("SKIPPED, SO NOT PROVEN: the container's processes cannot be signalled from here: %v: %s", err, out)
	}
	await(t, "it is started again", func() bool { return l.status().Models[0].Restarts > 0 })
	l.must("down")
	l.nothingLeft()
}

// child is the model's process on this host: that of the debugger.
func (l *lab) child() int {
	l.t.Helper()
	var top struct{ Processes [][]string }
	check(l.t, l.call(http.MethodGet, "/containers/"+l.status().Models[0].ContainerID+"/top?ps_args=-o+pid,args", &top))
	for _, p := range top.Processes {
		if strings.HasPrefix(p[1], "/fakemodel") {
			var pid int
			_, err := fmt.Sscan(p[0], &pid)
			check(l.t, err)
			return pid
		}
	}
	l.t.Fatalf("no model among %v", top.Processes)
	return 0
}

// dlv is the debugger for Go, static, built once.
var dlv = sync.OnceValues(func() (string, error) {
	command := exec.Command("go", "install", "github.com/go-delve/delve/cmd/dlv@v1.26.0")
	command.Env = append(os.Environ(), "GOBIN="+built(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return filepath.Join(built(), "dlv"), nil
})

// delve speaks to one, by its JSON-RPC.
type delve struct {
	*editor
	decoder *json.Decoder
	id      int
}

// call asks for something and, where answer is not nil, reads the answer.
func (d *delve) call(method string, argument, answer any) {
	d.t.Helper()
	d.send(method, argument)
	d.receive(answer)
}

func (d *delve) send(method string, argument any) {
	d.t.Helper()
	d.id++
	check(d.t, json.NewEncoder(d.conn).Encode(map[string]any{"method": "RPCServer." + method, "params": []any{argument}, "id": d.id}))
}

func (d *delve) receive(answer any) {
	d.t.Helper()
	var response struct {
		Error  any
		Result json.RawMessage
	}
	check(d.t, d.decoder.Decode(&response))
	if response.Error != nil {
		d.t.Fatalf("delve: %v", response.Error)
	}
	check(d.t, json.Unmarshal(response.Result, answer))
}

// delveLab is the Go sample, built with debug information, with dlv on this host's PATH.
func delveLab(t *testing.T) *lab {
	t.Helper()
	program, err := dlv()
	if err != nil {
		t.Skipf("SKIPPED, SO NOT PROVEN: dlv cannot be built: %v", err)
	}
	repo := t.TempDir()
	sample := filepath.Join("..", "..", "sample-models", "iris-http-go")
	check(t, os.CopyFS(repo, os.DirFS(sample)))
	config, err := os.ReadFile(filepath.Join(repo, "merlin-local.yaml"))
	check(t, err)
	l := newLab(t, repo, map[string]string{"merlin-local.yaml": string(config) + `
debug:
  run: CGO_ENABLED=0 GOOS=linux go build -trimpath -buildvcs=false -gcflags="all=-N -l" -o bin/server .
`})
	l.env = append(l.env, "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	return l
}

func TestDelveHaltsTheGoSampleAtABreakpoint(t *testing.T) {
	t.Parallel() // it waits, most of its time
	l := delveLab(t)
	contains(t, l.up("--debug"), "debugger: delve at 127.0.0.1:", `"mode": "remote"`)
	m := l.status().Models[0]
	var launch struct {
		Port           int
		SubstitutePath []struct{ From, To string }
	}
	check(t, json.Unmarshal(m.Debugger.Launch, &launch))
	if len(launch.SubstitutePath) != 1 || launch.SubstitutePath[0].To != "example.com/iris-http-go" {
		t.Errorf("sources are %+v", launch.SubstitutePath)
	}
	e := l.attach()
	d := &delve{editor: e, decoder: json.NewDecoder(e.in)}
	var state struct{ State struct{ Running bool } }
	d.call("Command", map[string]any{"name": "halt"}, &state)
	var breakpoint struct {
		Breakpoint struct {
			File string
			Line int
		}
	}
	d.call("CreateBreakpoint", map[string]any{"Breakpoint": map[string]any{"functionName": "main.(*server).predict"}}, &breakpoint)
	if at := breakpoint.Breakpoint.File; !strings.HasPrefix(at, launch.SubstitutePath[0].To+"/") {
		t.Errorf("the launch configuration maps no %s", at)
	}
	d.send("Command", map[string]any{"name": "continue"})
	request, err := os.ReadFile(filepath.Join(l.repo, "request.json"))
	check(t, err)
	answered := make(chan int, 1)
	go func() {
		response, err := http.Post(m.URLs.Predict, "application/json", strings.NewReader(string(request)))
		if err != nil {
			answered <- 0
			return
		}
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	var halted struct {
		State struct {
			CurrentThread *struct{ Line int } `json:"currentThread"`
		}
	}
	d.receive(&halted)
	if halted.State.CurrentThread == nil || halted.State.CurrentThread.Line != breakpoint.Breakpoint.Line {
		t.Errorf("halted at %+v, not at %+v", halted.State, breakpoint)
	}
	select {
	case status := <-answered:
		t.Errorf("answered with %d while it is halted", status)
	default:
	}
	check(t, e.conn.Close()) // a client that leaves lets it go on, as dlv runs with --accept-multiclient
	await(t, "it is detached", func() bool { return !l.status().Models[0].Debugger.Attached })
	e = l.attach()
	d = &delve{editor: e, decoder: json.NewDecoder(e.in)}
	d.send("Command", map[string]any{"name": "continue"})
	if status := <-answered; status != http.StatusOK {
		t.Errorf("answered with %d", status)
	}
	check(t, e.conn.Close())
	l.must("down")
	l.nothingLeft()
}

// A binary without debug information is told before delve fails on it.
func TestAStrippedBinaryCannotBeDebuggedAndSaysHowItCould(t *testing.T) {
	l := delveLab(t)
	out, code := l.run("up", "-d", "--runtime", "docker", "--port", "0", "--debug", "--file", l.stripped())
	if code == 0 {
		t.Error("it runs")
	}
	contains(t, out, "FAILED: cannot be debugged", "bin/server has no debug information", "debug.run")
	l.nothingLeft()
}

// stripped is a configuration without debug.run.
func (l *lab) stripped() string {
	l.t.Helper()
	text, err := os.ReadFile(filepath.Join(l.repo, "merlin-local.yaml"))
	check(l.t, err)
	before, _, _ := strings.Cut(string(text), "\ndebug:")
	path := filepath.Join(l.repo, "stripped.yaml")
	check(l.t, os.WriteFile(path, []byte(before), 0o644))
	return path
}
