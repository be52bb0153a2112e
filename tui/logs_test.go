package tui

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// The containers of iris's pod abcde, and of a second pod.
const (
	firstContainer  = "0123456789ab"
	secondContainer = "ba9876543210"
)

func written(replica, text string) event.Log {
	return event.Log{Source: event.LogModel, Replica: replica, Text: text}
}

func cried(replica, text string) event.Log {
	return event.Log{Source: event.LogModel, Replica: replica, Stderr: true, Text: text}
}

func criedAll(replica, text string) (facts []event.Fact) {
	for line := range strings.SplitSeq(text, "\n") {
		facts = append(facts, cried(replica, line))
	}
	return facts
}

const traceback = `Traceback (most recent call last):
  File "/app/model.py", line 12, in infer
    return self.model.predict(rows)
           ^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/lib.py", line 3, in predict
    raise KeyError(name)
KeyError: 'sepal'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/server.py", line 40, in handle
    model.infer(body)
ValueError: no column sepal`

const goPanic = `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.predict(0x5, {0xc000012345, 0x3, 0x3})
	/app/main.go:12 +0x1d
main.main()
	/app/main.go:30 +0x2b
exit status 2`

// crashed are the events of a model that wrote all kinds of lines and crashed once.
func crashed() []event.Event {
	facts := []event.Fact{
		event.Log{Source: event.LogBuild, Text: "Collecting scikit-learn==1.2.1"},
		event.Log{Source: event.LogBuild, Stderr: true, Text: "WARNING: Running pip as the 'root' user can break things"},
		written(firstContainer, "INFO:     Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)"),
		written(firstContainer, `{"ts":"2026-01-02T03:04:16.250Z","level":"info","logger":"model","msg":"model loaded","path":"/mnt/models/iris.joblib","took_ms":812}`),
		written(firstContainer, `{"time":1767323057.5,"severity":"WARNING","message":"column missing","column":"petal length","defaults":{"a":1}}`),
		cried(firstContainer, "ERROR:    Exception in ASGI application"),
	}
	facts = append(facts, criedAll(firstContainer, traceback)...)
	facts = append(
		facts,
		written(firstContainer, "I0102 03:04:30.000000       7 server.go:12] serving"),
		event.Exited{Pod: "abcde", Replica: firstContainer, Code: 3, Ran: 25 * time.Second},
		event.Started{Pod: "abcde", Replica: secondContainer, Container: strings.Repeat("b", 64), Address: "172.17.0.3:8080", Reach: "address"},
		written(secondContainer, "2026/01/02 03:04:33 WARN cache is cold size=0"),
	)
	facts = append(facts, criedAll(secondContainer, goPanic)...)
	facts = append(facts, written(secondContainer, "2026-01-02T03:04:40.000Z\tDEBUG\tmain/main.go:10\tticked"))
	return iris(facts...)
}

func TestLogsOfAllSourcesOnOneScreen(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}, {60, 16}} {
		d := drive(t, &hands{}, size[0], size[1], crashed())
		d.keys("3", "z")
		d.golden(fmt.Sprintf("logs-%dx%d", size[0], size[1]))
	}
}

func TestATracebackIsALineUntilItIsUnfolded(t *testing.T) {
	d := drive(t, &hands{}, 120, 30, crashed())
	d.keys("3", "z")
	view := d.view()
	if !strings.Contains(view, "[+14] ValueError: no column sepal  ERROR:    Exception in ASGI application") || strings.Contains(view, "KeyError") {
		t.Errorf("the traceback is not folded:\n%s", view)
	}
	d.keys("x")
	d.golden("logs-unfolded")
	d.keys("x", "enter") // the last one that is seen: the panic
	if view := d.view(); !strings.Contains(view, "main.predict(0x5") || strings.Contains(view, "KeyError") {
		t.Errorf("the panic alone is not unfolded:\n%s", view)
	}
	if view := d.view(); !strings.Contains(view, "›03:04:38.000 abcde F panic:") || !strings.Contains(view, "/app/main.go:30 +0x2b") {
		t.Errorf("it is not seen as a whole, with the cursor at its beginning:\n%s", view)
	}
	d.keys("enter")
	if view := d.view(); strings.Contains(view, "main.predict(0x5") {
		t.Errorf("the panic is not folded again:\n%s", view)
	}
}

func TestALineOfJSONIsShownInPartsAndRawOnAKey(t *testing.T) {
	d := drive(t, &hands{}, 140, 30, crashed())
	d.keys("3", "z")
	view := d.await("model: model loaded path=/mnt/models/iris.joblib took_ms=812")
	if !strings.Contains(view, "03:04:16.250 abcde I model: model loaded") {
		t.Errorf("its own time is not shown:\n%s", view)
	}
	d.await(`W column missing column="petal length" defaults={"a":1}`)
	d.keys("r")
	d.await(`I {"ts":"2026-01-02T03:04:16.250Z","level":"info"`)
	d.keys("r", "k", "g", "j", "j", "j", "j", "enter")
	d.await("path     /mnt/models/iris.joblib")
}

func TestThePreviousContainersLinesAlone(t *testing.T) {
	d := drive(t, &hands{}, 140, 40, crashed())
	d.keys("3", "z", "p")
	view := d.await("only abcde, container " + firstContainer + ", which exited with code 3")
	for _, gone := range []string{"cache is cold", "panic:", "scikit-learn"} {
		if strings.Contains(view, gone) {
			t.Errorf("%q is of another container:\n%s", gone, view)
		}
	}
	if !strings.Contains(view, "abcde exited with code 3 after 25s") {
		t.Errorf("where it ended is not told:\n%s", view)
	}
	d.keys("esc")
	d.await("cache is cold")
	d.keys("p", "p")
	d.await("all containers again")
	if d := drive(t, &hands{}, 80, 24, iris()); true {
		d.keys("3", "p")
		d.await("no container of iris-1 has ended yet")
	}
}

func TestAFilterOfLogs(t *testing.T) {
	for text, want := range map[string][]string{
		"level>=warn source:abcde": {"column missing", "Exception in ASGI", "exited with code 3", "cache is cold", "panic:"},
		"level=debug":              {"ticked"},
		"source:build":             {"Collecting scikit-learn", "Running pip"},
		"source:build !collecting": {"Running pip"},
		"KeyError":                 {"Exception in ASGI"},
		`"model loaded"`:           {"model loaded"},
		"took_ms=812":              {"model loaded"},
		"/go:1[02]/":               {"server.go:12", "panic:", "ticked"},
		"level=none":               {"Collecting scikit-learn", "exit status 2"},
	} {
		d := drive(t, &hands{}, 160, 40, crashed())
		d.keys("3", "z", "/", `"`+text, "enter")
		var lines []string
		for line := range strings.SplitSeq(d.view(), "\n") {
			if strings.Contains(line, ":") && strings.Contains(line[:min(9, len(line))], ":0") {
				lines = append(lines, line)
			}
		}
		lines = lines[1:] // the header's
		if len(lines) != len(want) {
			t.Errorf("%s shows %d lines, not %d:\n%s", text, len(lines), len(want), strings.Join(lines, "\n"))
			continue
		}
		for i, part := range want {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%s: line %d is %q, not %q", text, i, lines[i], part)
			}
		}
	}
}

func TestAWrongFilterIsSaidAndNotApplied(t *testing.T) {
	d := drive(t, &hands{}, 160, 40, crashed())
	for text, want := range map[string]string{
		"/(/":         "missing closing )",
		"level>=wrn2": `level "wrn2": it is one of none, trace`,
		"level=>warn": "level=>: it is",
		"source:":     "wants a name",
		"a !":         "! stands before",
	} {
		d.keys("3", "/", `"`+text)
		d.await(want)
		d.keys("esc")
	}
	d.await("cache is cold")
}

func TestASearchGoesFromMatchToMatch(t *testing.T) {
	d := drive(t, &hands{}, 160, 40, crashed())
	d.keys("3", "z", "s", `"exception`)
	d.await("1 found")
	d.keys("enter")
	d.await(`"exception" 1/1`)
	d.keys("s", "ctrl+u", `"/abcde|go:1/`, "enter")
	d.await("1/6")
	first := d.screen.panels[logsPanel].(*logs).at
	d.keys("n", "N")
	if at := d.screen.panels[logsPanel].(*logs).at; at != first {
		t.Errorf("next and back are at %v, not %v", at, first)
	}
	for range 6 {
		d.keys("N")
	}
	if at := d.screen.panels[logsPanel].(*logs).at; at.record != first.record {
		t.Errorf("around the end it is at %v, not %v", at, first)
	}
	d.keys("esc")
	if view := d.view(); strings.Contains(view, "found") {
		t.Errorf("the search is not left:\n%s", view)
	}
	d.keys("s", `"nowhere at all`, "enter")
	d.await("is in no line that is shown")
}

func TestAMatchInAFoldedTracebackUnfoldsIt(t *testing.T) {
	d := drive(t, &hands{}, 160, 40, crashed())
	d.keys("3", "z", "s", `"sepal'`, "enter")
	view := d.await("KeyError: 'sepal'")
	for line := range strings.SplitSeq(view, "\n") {
		if strings.Contains(line, "KeyError: 'sepal'") && !strings.HasPrefix(line, "›") {
			t.Errorf("the cursor is not on it: %q", line)
		}
	}
}

func TestTheEndIsFollowedUntilAPersonGoesUp(t *testing.T) {
	d := drive(t, &hands{}, 100, 24, crashed())
	more := func(n int) {
		last := d.screen.latest
		for i := range n {
			last = last.Add(time.Second)
			d.send(arrived{{Seq: uint64(1000 + d.screen.state.History.Logs.End()), Time: last, Model: "iris-1", Revision: 1, Fact: written(secondContainer, fmt.Sprintf("line %d of more", i))}})
		}
	}
	d.keys("3")
	more(40)
	d.await("line 39 of more")
	d.keys("k", "pgup", "pgup")
	held := logRows(d.view())
	more(7)
	d.await("7 new")
	if now := logRows(d.view()); now != held {
		t.Errorf("what is looked at moved:\n%s\nwas\n%s", now, held)
	}
	d.keys("G")
	d.await("line 6 of more")
	if view := d.view(); strings.Contains(view, "new") {
		t.Errorf("it still tells of news:\n%s", view)
	}
	d.keys("k")
	d.await("paused")
	d.keys("j", "j")
	more(1)
	d.await("line 0 of more")
	d.send(tea.MouseMsg{Button: tea.MouseButtonWheelUp})
	d.await("paused")
	for range 3 {
		d.send(tea.MouseMsg{Button: tea.MouseButtonWheelDown})
	}
	if view := d.view(); strings.Contains(view, "paused") {
		t.Errorf("the wheel down to the end does not follow:\n%s", view)
	}
}

func TestAPausedLogOfWhichAFilterLeavesNothing(t *testing.T) {
	d := drive(t, &hands{}, 100, 24, crashed())
	d.keys("3", "k")
	d.await("paused")
	d.keys("/", `"nothing says so`, "enter")
	d.keys("home", "up", "down", "pgup", "pgdown", "enter", "w", "n", "N", "y", "end") // none of them finds a line
	d.view()
	d.keys("esc")
	d.await("ticked")
}

// logRows are the panel's rows of a screen, without their first cell.
func logRows(view string) string {
	var rows []string
	lines := strings.Split(view, "\n")
	for _, line := range lines[5 : len(lines)-1] {
		rows = append(rows, strings.TrimRight(line, " "))
	}
	return strings.Join(rows, "\n")
}

func TestLongLinesAreCutWrappedAndSlid(t *testing.T) {
	long := strings.Repeat("0123456789", 2000) + "END"
	d := drive(t, &hands{}, 80, 24, iris(written(firstContainer, "start "+long)))
	d.keys("3")
	if view := d.view(); !strings.Contains(view, "start 0123") || !strings.Contains(view, "…") {
		t.Errorf("a long line has no end that tells of more:\n%s", view)
	}
	d.keys("l")
	if view := d.view(); !strings.Contains(view, "…123456789") || strings.Contains(view, "start") {
		t.Errorf("it is not slid:\n%s", view)
	}
	d.keys("h", "w")
	view := d.await("[the first 8Ki of 19.5Ki]")
	if strings.Contains(view, "END") {
		t.Error("more than 8 KiB are drawn")
	}
}

func TestHostileLinesDoNothingToTheScreen(t *testing.T) {
	hostile := []event.Fact{
		written(firstContainer, "\x1b[2J\x1b[31mred\x1b[0m\x1b]0;title\x07done"),
		written(firstContainer, "a\tb\rc\x00d\u202egnp.exe"),
		written(firstContainer, "世界世界世界 wide "+strings.Repeat("世", 200)),
		written(firstContainer, `{"level":"info","msg":"\u001b[2Jx\ny","k\u001b[31m":"\u001b]0;t\u0007v","deep":`+strings.Repeat("[", 500)+strings.Repeat("]", 500)+`}`),
		written(firstContainer, "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x9b31m unfinished \x1b["),
		written(firstContainer, strings.Repeat("\t", 9000)),
		written(firstContainer, strings.Repeat("e\u0301\u200d", 500)),
		written("\x1b[31m", "of a strange container"),
	}
	for _, keys := range [][]string{{"3"}, {"3", "r"}, {"3", "w"}, {"3", "w", "r", "x"}, {"3", "g", "enter", "j", "enter"}, {"3", "l", "l"}, {"3", "s", `"世`, "enter"}} {
		for _, width := range []int{60, 61, 80, 119, 200} {
			d := drive(t, &hands{}, width, 40, iris(hostile...))
			d.keys(keys...)
			d.view() // checks every line's width
			if view := d.screen.View(); strings.ContainsAny(view, "\x07\x00\r\t\u202e") || strings.Contains(view, "\x1b[2J") || strings.Contains(view, "\x1b]") {
				t.Errorf("keys %q at %d: something would be interpreted: %q", keys, width, view)
			}
		}
	}
	d := drive(t, &hands{}, 120, 40, iris(hostile...))
	d.keys("3", "z", "r")
	d.await(`\x1b[31mred`)
}

func TestLogsAreKeptUpTo10000Lines(t *testing.T) {
	d := drive(t, &hands{}, 100, 24, iris())
	d.keys("3", "s", `"line 7`, "enter", "esc")
	var events arrived
	for i := range 12_000 {
		events = append(events, event.Event{Seq: uint64(100 + i), Time: d.screen.latest, Model: "iris-1", Revision: 1, Fact: written(firstContainer, fmt.Sprintf("line %d", i))})
		if len(events) == 700 {
			d.send(events)
			d.view()
			events = nil
		}
	}
	d.send(events)
	d.await("kept 10k of 12k")
	p := d.screen.panels[logsPanel].(*logs)
	if n := len(p.book.records); n > 10_001 || n < 9_990 || len(p.shown) != n {
		t.Errorf("%d records are kept, %d shown", n, len(p.shown))
	}
	if p.rows.bytes > 2*cachedRows {
		t.Errorf("%d bytes of rows are kept", p.rows.bytes)
	}
	d.keys("g")
	d.await("line 2000")
	d.send(arrived{{Seq: 99_999, Time: d.screen.latest, Model: "iris-1", Fact: written(firstContainer, "one more")}})
	d.await("line 2001")
}

func TestSavingWritesANewFileOnly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kept.log")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := drive(t, &hands{}, 200, 40, crashed())
	d.keys("3", "/", `"level=debug`, "enter", "ctrl+s", "ctrl+u", `"`+path, "enter")
	d.await("is there already: nothing is written")
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file is %q now", text)
	}
	other := filepath.Join(dir, "other.log")
	d.keys("ctrl+s", "ctrl+u", `"`+other, "enter")
	d.await("1 lines saved as")
	text, err := os.ReadFile(other)
	if err != nil || !strings.HasSuffix(string(text), " abcde 2026-01-02T03:04:40.000Z\tDEBUG\tmain/main.go:10\tticked\n") {
		t.Errorf("the file is %q, %v", text, err)
	}
}

func TestCopyingIsByOSC52(t *testing.T) {
	for name, variables := range map[string]map[string]string{"a terminal": {}, "tmux": {"TMUX": "/tmp/none,1,0"}, "screen": {"STY": "1.x"}} {
		var out strings.Builder
		d := drive(t, &hands{}, 160, 40, crashed())
		d.screen.out, d.screen.getenv = &out, func(name string) string { return variables[name] }
		d.keys("3", "s", `"ticked`, "enter", "y")
		text := "2026-01-02T03:04:40.000Z\tDEBUG\tmain/main.go:10\tticked"
		d.await("copied " + size(int64(len(text))))
		want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(text)) + "\x07"
		switch name {
		case "tmux":
			want = "\x1bPtmux;\x1b" + want + "\x1b\\" + want
		case "screen":
			want = "\x1bP" + want + "\x1b\\"
		}
		if out.String() != want {
			t.Errorf("%s gets %q, not %q", name, out.String(), want)
		}
	}
}

func TestTheKeysOfAPanelWithManyFitASmallScreen(t *testing.T) {
	d := drive(t, &hands{}, 80, 24, crashed())
	d.keys("3", "?")
	view := d.view()
	for _, key := range []string{"search", "unfold all tracebacks", "save what is shown", "everywhere", "zoom the panel", "ctrl+c"} {
		if !strings.Contains(view, key) {
			t.Errorf("the help lacks %q:\n%s", key, view)
		}
	}
}
