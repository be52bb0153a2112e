//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// scriptCommands are what scripts have besides testscript's own.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":      exits,
	"eventually": eventually,
	"await":      awaitText,
	"json":       jsonHas,
	"set":        setFromJSON,
	"jsonlines":  jsonLines,
	"signal":     sendSignal,
	"gone":       gone,
	"alive":      alive,
	"runs":       runs,
	"occupy":     occupy,
	"refused":    refused,
	"left":       left,
	"trickle":    trickle,
	"coldstarts": coldstarts,
	"reloads":    reloads,
	"newest":     newest,
	"recording":  isRecording,
}

// exits CODE PROGRAM [ARG…]: the program ends with exactly that exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s exited with code %d, not %d", args[1], got, want)
	}
}

// eventually PROGRAM [ARG…]: the program succeeds, if not at once then later.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, strings.Join(args, " ")+" succeeds", func() bool { return ts.Exec(args[0], args[1:]...) == nil })
}

// await FILE PATTERN: the file holds a match, if not now then later.
func awaitText(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	until(ts, args[0]+" has "+args[1], func() bool {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && pattern.Match(data)
	})
}

// json FILE PATH PATTERN: the value at a path such as models.0.phase is a match as a
// whole; negated: there is none.
func jsonHas(ts *testscript.TestScript, neg bool, args []string) {
	value, found := jsonAt(ts, args[0], args[1])
	if neg {
		if found {
			ts.Fatalf("%s is there: %s", args[1], value)
		}
		return
	}
	pattern, err := regexp.Compile("^(?:" + args[2] + ")$")
	ts.Check(err)
	if !found || !pattern.MatchString(value) {
		ts.Fatalf("%s is %q, not %q", args[1], value, args[2])
	}
}

// set NAME FILE PATH: the variable takes the value at the path.
func setFromJSON(ts *testscript.TestScript, _ bool, args []string) {
	value, found := jsonAt(ts, args[1], args[2])
	if !found {
		ts.Fatalf("there is no %s", args[2])
	}
	ts.Setenv(args[0], value)
}

func jsonAt(ts *testscript.TestScript, file, path string) (value string, found bool) {
	var at any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &at))
	for _, key := range strings.Split(path, ".") {
		switch in := at.(type) {
		case map[string]any:
			at = in[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				return "", false
			}
			at = in[i]
		default:
			return "", false
		}
	}
	switch at := at.(type) {
	case nil:
		return "", false
	case string:
		return at, true
	default:
		text, err := json.Marshal(at)
		ts.Check(err)
		return string(text), true
	}
}

// jsonlines FILE KIND…: the file is events, one a line and numbered without a gap,
// and the kinds come in this order, others between.
func jsonLines(ts *testscript.TestScript, _ bool, args []string) {
	wanted := args[1:]
	for i, line := range strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n") {
		var e struct {
			Seq  int    `json:"seq"`
			Kind string `json:"kind"`
			Time time.Time
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Time.IsZero() || e.Seq != i+1 {
			ts.Fatalf("line %d is no event: %v: %s", i+1, err, line)
		}
		if len(wanted) > 0 && e.Kind == wanted[0] {
			wanted = wanted[1:]
		}
	}
	if len(wanted) > 0 {
		ts.Fatalf("no event %s in its place", wanted[0])
	}
}

// recording FILE KIND…: the file is a recording that this version reads, of which the
// first line tells its format; every exchange stands behind its served line, and the kinds
// come in this order, others between.
func isRecording(ts *testscript.TestScript, _ bool, args []string) {
	wanted := args[1:]
	var before event.Event
	for i, line := range strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n") {
		var e event.Event
		ts.Check(json.Unmarshal([]byte(line), &e))
		if s, is := e.Fact.(event.Session); i == 0 && (!is || s.Format != event.Format) {
			ts.Fatalf("the first line is %s", line)
		}
		if x, is := e.Fact.(event.Exchange); is {
			if s, follows := before.Fact.(event.Served); !follows || s.ID != x.ID || before.Seq != e.Seq {
				ts.Fatalf("line %d is behind %+v: %s", i+1, before, line)
			}
		}
		if before = e; len(wanted) > 0 && event.Kind(e.Fact) == wanted[0] {
			wanted = wanted[1:]
		}
	}
	if len(wanted) > 0 {
		ts.Fatalf("no event %s in its place", wanted[0])
	}
}

// signal NAME PID
func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	signal := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[args[0]]
	ts.Check(syscall.Kill(number(ts, args[1]), signal))
}

// gone PID…: the processes have ended, if not yet then soon.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	for _, pid := range args {
		until(ts, "process "+pid+" ends", func() bool { return !running(number(ts, pid)) })
	}
}

// alive PID…: the processes run.
func alive(ts *testscript.TestScript, _ bool, args []string) {
	for _, pid := range args {
		if !running(number(ts, pid)) {
			ts.Fatalf("process %s has ended", pid)
		}
	}
}

// occupy PORT NAME: the port of 127.0.0.1 (0: a free one) is taken until the script
// ends, by us where nobody has it; the variable takes its number.
func occupy(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	switch {
	case err == nil:
		ts.Defer(func() { _ = listener.Close() })
		ts.Setenv(args[1], strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	case errors.Is(err, syscall.EADDRINUSE):
		ts.Setenv(args[1], args[0])
	default:
		ts.Check(err)
	}
}

// refused ADDRESS: nobody listens there.
func refused(ts *testscript.TestScript, _ bool, args []string) {
	c, err := net.Dial("tcp", args[0])
	if err == nil {
		_ = c.Close()
		ts.Fatalf("somebody listens on %s", args[0])
	}
}

// ! left: no file of a session is left, and no process that a model was.
func left(ts *testscript.TestScript, neg bool, _ []string) {
	if !neg {
		ts.Fatalf("usage: ! left")
	}
	ts.Check(filepath.WalkDir(ts.Getenv("MERLIN_LOCAL_HOME"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !isSum(path) {
			err = fmt.Errorf("left: %s", path)
		}
		return err
	}))
	gone(ts, false, signed(ts.Getenv("FAKEMODEL_PIDS")))
}

// isSum tells the files that are left for the next session: what it watches, and what its
// builds left in the Engine's cache.
func isSum(path string) bool {
	folder := filepath.Base(filepath.Dir(path))
	return folder == "sums" || folder == "builds"
}

// runs N: so many processes of models run, if not yet then soon.
func runs(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, args[0]+" processes run", func() bool {
		pids := slices.DeleteFunc(signed(ts.Getenv("FAKEMODEL_PIDS")), func(pid string) bool { return !running(number(ts, pid)) })
		return len(pids) == number(ts, args[0])
	})
}

// signed are the processes that fake models ever were, by the file they sign.
func signed(file string) []string {
	pids, _ := os.ReadFile(file) // none before the first
	return strings.Fields(string(pids))
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(text, "pid "))
	ts.Check(err)
	return n
}

// running tells whether a process does something still: an init that does not reap,
// as in many containers, keeps the dead in its list.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || !strings.Contains(string(stat), ") Z ") {
		return true
	}
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return len(threads) > 1 // they still hold its files and locks
}

// until waits for what must come.
func until(ts *testscript.TestScript, what string, holds func() bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-ctx.Done():
			ts.Fatalf("it never came that %s", what)
		}
	}
}
