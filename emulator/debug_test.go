package emulator_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// fakeDebugPort notes which debuggers editors reach.
type fakeDebugPort struct {
	mu     sync.Mutex
	offers []netip.AddrPort
}

func (p *fakeDebugPort) Address() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:40000") }

func (p *fakeDebugPort) Offer(debugger netip.AddrPort) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offers = append(p.offers, debugger)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.offers = slices.DeleteFunc(p.offers, func(o netip.AddrPort) bool { return o == debugger })
	}
}

func (p *fakeDebugPort) offered() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.offers)
}

// debugging gives a world a port for editors.
func debugging(w *world) *fakeDebugPort {
	port := &fakeDebugPort{}
	options := w.options
	w.options = func(o *emulator.Options) {
		options(o)
		o.DebugPorts = map[string]emulator.DebugPort{o.Models[0].ID(): port}
	}
	return port
}

func TestTheDebuggersCommandStandsInFrontOfTheModels(t *testing.T) {
	goRepo := t.TempDir()
	if err := os.WriteFile(filepath.Join(goRepo, "go.mod"), []byte("module m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dlv := "exec --headless --listen=:40000 --api-version=2 --accept-multiclient --continue --check-go-version=false -- "
	for _, row := range []struct {
		fact            string
		debug           emulator.Debug
		entrypoint, cmd string // the image's
		command, args   string // the user's
		dir             string
		exec            string // a process of the host
		want            string
		port            int
	}{
		{"a command of the user's, before ENTRYPOINT and CMD", emulator.Debug{Command: "gdbserver :$(DEBUG_PORT)", Port: 9}, "/s", "-a", "", "", "", "", "gdbserver :9 /s -a", 9},
		{"before command and args", emulator.Debug{Command: "d -- ", Port: 9}, "/s", "-a", "/x y", "z", "", "", "d -- /x y z", 9},
		{"before ENTRYPOINT and args", emulator.Debug{Command: "d", Port: 9}, "/s", "-a", "", "z", "", "", "d /s z", 9},
		{"delve for Go", emulator.Debug{}, "/s", "-a", "", "", goRepo, "", "dlv " + dlv + "/s -a", 40000},
		{"delve of this host", emulator.Debug{Binary: "/usr/bin/dlv", Port: 40000}, "/s", "", "", "", goRepo, "", "/.merlin-local/dlv " + dlv + "/s", 40000},
		{"debugpy behind the interpreter's flags", emulator.Debug{}, "", "python3 -u -X dev app.py --port 8080", "", "", "", "", "python3 -u -X dev -m debugpy --listen 0.0.0.0:5678 app.py --port 8080", 5678},
		{"debugpy and a module", emulator.Debug{}, "/usr/bin/python3.12 -m uvicorn app:app", "", "", "", "", "", "/usr/bin/python3.12 -m debugpy --listen 0.0.0.0:5678 -m uvicorn app:app", 5678},
		{"debugpy and a package's program", emulator.Debug{Port: 7}, "/venv/bin/uvicorn", "app:app", "", "", "", "", "/venv/bin/python3 -m debugpy --listen 0.0.0.0:7 -m uvicorn app:app", 7},
		{"debugpy and a script", emulator.Debug{Kind: emulator.Debugpy}, "./app.py", "", "", "", "", "", "python3 -m debugpy --listen 0.0.0.0:5678 ./app.py", 5678},
		{"a process's last command", emulator.Debug{Kind: emulator.Delve}, "", "", "", "", "", "go build -o bin/local . && exec bin/local -a", "go build -o bin/local . && exec dlv " + strings.Replace(dlv, "=:", "=127.0.0.1:", 1) + "bin/local -a", 40000},
		{"a process in Python", emulator.Debug{}, "", "", "", "", "", "A=b; python3  'my app.py'", "A=b; python3 -m debugpy --listen 127.0.0.1:5678  'my app.py'", 5678},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.image = func(func(event.Fact)) (emulator.Image, error) {
					return emulator.Image{Entrypoint: strings.Fields(row.entrypoint), Cmd: strings.Fields(row.cmd)}, nil
				}
				m := iris()
				m.Dir, m.Debug = row.dir, row.debug
				m.Debug.On = true
				m.Deployment.Command, m.Deployment.Args = row.command, row.args
				m.Exec, m.OnHost = row.exec, row.exec != ""
				ctx, cancel := context.WithCancel(t.Context())
				wait := w.emulate(ctx, m)
				synctest.Wait()
				cancel()
				if err := wait(); err != nil {
					t.Fatal(err)
				}
				spec := w.specs[0]
				got := strings.Join(slices.Concat(spec.Command, spec.Args), " ")
				if m.OnHost {
					got = spec.Model.Exec
				}
				if got != row.want || spec.DebugPort != row.port {
					t.Errorf("started as\n%s at %d, want\n%s at %d", got, spec.DebugPort, row.want, row.port)
				}
				if copied := len(spec.Files) == 1 && spec.Files[0].Source == "/usr/bin/dlv"; copied != (row.debug.Binary != "") {
					t.Errorf("files are %+v", spec.Files)
				}
			})
		})
	}
}

func TestAModelWhoseDebuggerCannotBeToldSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.image = func(func(event.Fact)) (emulator.Image, error) {
			return emulator.Image{Entrypoint: []string{"/run.sh"}}, nil
		}
		m := iris()
		m.Debug.On = true
		err := w.emulate(t.Context(), m)()
		if err == nil || !strings.Contains(err.Error(), "cannot be debugged: its command is /run.sh --port 8080, which is no Python") {
			t.Errorf("error is %v", err)
		}
	})
}

func TestWithoutDebugNothingOfItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		m := iris()
		m.Debug = emulator.Debug{Command: "d", Port: 9}
		ctx, cancel := context.WithCancel(t.Context())
		wait := w.emulate(ctx, m)
		synctest.Wait()
		cancel()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		if s := w.specs[0]; s.Command != nil || s.DebugPort != 0 || s.Ptrace {
			t.Errorf("started as %+v", s)
		}
	})
}

// debuggedPython is a model under debugpy whose sources are copied into its image.
func debuggedPython() *emulator.Model {
	m := python()
	m.Debug = emulator.Debug{On: true, Kind: emulator.Debugpy}
	return m
}

// pythonImage has a command that debugpy takes.
func pythonImage(func(event.Fact)) (emulator.Image, error) {
	return emulator.Image{ID: "sha256:1", Cmd: []string{"python3", "app.py"}}, nil
}

func TestNoProbeKillsAModelWhileADebuggerIsAttached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.image = pythonImage
		debugging(w)
		var mu sync.Mutex
		halted := false
		halt := func(on bool) {
			w.emulator.Suspend("iris-1", on)
			mu.Lock()
			defer mu.Unlock()
			halted = on
		}
		failing := func() bool {
			mu.Lock()
			defer mu.Unlock()
			return halted
		}
		result := func() emulator.ProbeResult {
			if failing() {
				return emulator.ProbeResult{Kind: "http", Outcome: "timed out"}
			}
			return emulator.ProbeResult{Kind: "http", OK: true, Outcome: "200 OK"}
		}
		w.live, w.probe = result, func(int) emulator.ProbeResult { return result() }
		r := edit(t, w, debuggedPython())
		halt(true)
		time.Sleep(time.Hour)
		if got := r.only("route", "hold", "stop"); !slices.Equal(got, []string{"hold", "route 1 [172.17.0.2:8080]"}) {
			t.Errorf("while attached: %q", got)
		}
		halt(false)
		time.Sleep(time.Minute)
		mu.Lock()
		halted = true // by the model itself
		mu.Unlock()
		time.Sleep(2 * time.Minute)
		if n := len(r.only("stop")); n == 0 {
			t.Error("after it detached, no probe counts")
		}
		mu.Lock()
		halted = false
		mu.Unlock()
		r.end()
		if a := facts[event.Attached](w); len(a) != 2 || !a[0].On || a[1].On {
			t.Errorf("told %+v", a)
		}
	})
}

func TestEditsWaitForTheDebuggerToDetach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.image = pythonImage
		port := debugging(w)
		r := edit(t, w, debuggedPython())
		w.emulator.Suspend("iris-1", true)
		synctest.Wait()
		r.save("s1", "/repo/app.py")
		r.save("s2", "/repo/lib.py")
		time.Sleep(time.Hour)
		if n := len(r.only("start")); n != 1 {
			t.Errorf("%d containers were started while attached", n)
		}
		told := facts[event.Edited](w)
		if len(told) != 2 || told[1].Waits == "" || !slices.Equal(told[1].Files, []string{"app.py", "lib.py"}) {
			t.Errorf("told %+v", told)
		}
		if n := len(facts[event.Reloading](w)); n != 0 {
			t.Errorf("%d reloads began", n)
		}
		w.emulator.Suspend("iris-1", false)
		synctest.Wait()
		if s := facts[event.Serving](w); len(s) != 2 || s[1].Sources != "s2" || s[1].Tier != event.TierSync {
			t.Errorf("who serves is told as %+v", s)
		}
		if files := w.specs[1].Files; len(files) != 2 {
			t.Errorf("copied are %+v", files)
		}
		if got := port.offered(); len(got) != 1 || got[0].Addr() != netip.MustParseAddr("172.17.0.3") || got[0].Port() != 5678 {
			t.Errorf("editors reach %v", got)
		}
		r.end()
		if got := port.offered(); len(got) != 0 {
			t.Errorf("editors reach %v after the end", got)
		}
	})
}

func TestAReloadThatIsBeingMadeWaitsForTheDebuggerThatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.image = pythonImage
		debugging(w)
		w.building = func(ctx context.Context, s emulator.ImageSpec) error {
			if s.Revision == 2 {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		r := edit(t, w, debuggedPython())
		r.save("s1", "/repo/requirements.txt")
		w.emulator.Suspend("iris-1", true)
		synctest.Wait()
		if e := facts[event.ReloadEnded](w); len(e) != 1 || e[0].Cancelled != "a debugger is attached" {
			t.Errorf("ended %+v", e)
		}
		w.emulator.Suspend("iris-1", false)
		synctest.Wait()
		if s := facts[event.Serving](w); len(s) != 2 || s[1].Tier != event.TierRebuild {
			t.Errorf("who serves is told as %+v", s)
		}
		r.end()
	})
}

func TestTheDeploymentTimeoutStandsStillWhileADebuggerIsAttached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.image = pythonImage
		debugging(w)
		w.probe = func(int) emulator.ProbeResult { return emulator.ProbeResult{Outcome: "connection refused"} }
		begun := time.Now()
		wait := w.emulate(t.Context(), debuggedPython())
		time.Sleep(time.Minute)
		w.emulator.Suspend("iris-1", true)
		time.Sleep(time.Hour)
		w.emulator.Suspend("iris-1", false)
		if err := wait(); err == nil || !strings.Contains(err.Error(), "deployment timeout") {
			t.Errorf("error is %v", err)
		}
		if took := time.Since(begun); took < time.Hour+10*time.Minute {
			t.Errorf("it failed after %s", took)
		}
	})
}

func TestAnEditorIsToldWhereTheSourcesAreInTheImage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.image = pythonImage
		debugging(w)
		r := edit(t, w, debuggedPython())
		r.end()
		told := facts[event.Debugger](w)
		if len(told) == 0 || told[0].Kind != "debugpy" || told[0].Address != "127.0.0.1:40000" {
			t.Fatalf("told %+v", told)
		}
		var launch map[string]any
		if err := json.Unmarshal(told[0].Launch, &launch); err != nil {
			t.Fatal(err)
		}
		const want = `{"name":"merlin-local iris-1","type":"debugpy","request":"attach","connect":{"host":"127.0.0.1","port":40000},"pathMappings":[{"localRoot":"${workspaceFolder}","remoteRoot":"/app"}]}`
		if string(told[0].Launch) != want {
			t.Errorf("launch is\n%s, want\n%s", told[0].Launch, want)
		}
	})
}

func TestAnImageWithoutItsDebuggerIsToldWithWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.image = pythonImage
		w.options = func(o *emulator.Options) { o.FirstExitFails = true }
		w.run = func(c *fakeContainer) {
			_, _ = c.write.Write([]byte("/usr/bin/python3: No module named debugpy\n"))
			c.exit(emulator.Exit{Code: 1})
		}
		w.probe = func(int) emulator.ProbeResult { return emulator.ProbeResult{Outcome: "connection refused"} }
		err := w.emulate(t.Context(), debuggedPython())()
		if err == nil || !strings.Contains(err.Error(), "debugpy is not installed where the model runs") {
			t.Errorf("error is %v", err)
		}
		if cards := facts[event.Failed](w); len(cards) == 0 || !strings.Contains(cards[len(cards)-1].Next, "pip install debugpy") {
			t.Errorf("told %+v", cards)
		}
	})
}

// The sockets that debuggers listen at say nothing of a model that has not got that far.
func TestADebuggersSocketsAreNotTakenForTheModels(t *testing.T) {
	for _, row := range []struct {
		name, want string
		listens    []string
	}{
		{"still importing", "not-listening", []string{"0.0.0.0:5678", "127.0.0.1:57999"}},
		{"at another port", "other-port", []string{"0.0.0.0:5678", "127.0.0.1:57999", "0.0.0.0:9000"}},
		{"at loopback", "loopback-only", []string{"0.0.0.0:5678", "127.0.0.1:8080"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.image = pythonImage
				debugging(w)
				w.probe, w.listening = answers(0, "connection refused"), listensAt(row.listens...)
				during(t, w, debuggedPython(), time.Minute, func() {
					if got := told(w); len(got) != 1 || !strings.HasPrefix(got[0], row.want+" ") {
						t.Errorf("cards are %q, want %s", got, row.want)
					}
				})
			})
		})
	}
}
