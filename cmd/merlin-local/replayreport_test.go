package main

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

func TestTheVerdictOfAReplay(t *testing.T) {
	done := func(change func(s *replay.Summary)) replay.Summary {
		s := replay.Summary{Sent: 9, Same: 5, Answered: 4, Ended: true}
		if change != nil {
			change(&s)
		}
		return s
	}
	for _, row := range []struct {
		name     string
		compared bool
		s        replay.Summary
		err      error
		why      string // empty: all is well
	}{
		{"all as recorded", true, done(nil), nil, ""},
		{"one differs", true, done(func(s *replay.Summary) { s.Differs = 1 }), nil, "not all is as recorded: 1 answered in another way"},
		{"one fails", true, done(func(s *replay.Summary) { s.Failed = 1 }), nil, "not all is as recorded: 1 had no whole answer"},
		{"one cannot be sent", true, done(func(s *replay.Summary) { s.Unsent = []replay.Unsent{{Count: 1}, {Count: 2}} }), nil, "not all is as recorded: 3 could not be sent"},
		{"an error of the server's that was recorded", true, done(func(s *replay.Summary) { s.Errors = 1 }), nil, ""},
		{"interrupted", true, done(func(s *replay.Summary) { s.Ended = false }), nil, "not all is as recorded: it was interrupted"},
		{"a bad line", true, done(nil), errors.New("line 3: no JSON"), "not all is as recorded: f: line 3: no JSON"},
		{"an error of the server's, of what has no recorded answer", true, done(func(s *replay.Summary) { s.Errors, s.Unforeseen = 1, 1 }), nil, "not all is as recorded: 1 answered with an error of the server's"},
		{"for load", false, done(nil), nil, ""},
		{"for load, of which one cannot be sent", false, done(func(s *replay.Summary) { s.Unsent = []replay.Unsent{{Count: 1}} }), nil, ""},
		{"for load, and the server fails", false, done(func(s *replay.Summary) { s.Errors, s.Unforeseen = 2, 2 }), nil, "not all were answered well: 2 answered with an error of the server's"},
		{"for load, and nobody answers", false, done(func(s *replay.Summary) { s.Failed = 9 }), nil, "not all were answered well: 9 had no whole answer"},
	} {
		r := &replayReport{File: "f", Compared: row.compared}
		r.finish(row.s, row.err, nil)
		got := ""
		if err := r.err(); err != nil {
			got = err.Error()
		}
		if got != row.why || r.OK != (row.why == "") {
			t.Errorf("%s: %q, want %q", row.name, got, row.why)
		}
	}
}

func TestAReplayOfAnyLengthIsASuiteOfTests(t *testing.T) {
	r := &replayReport{File: "f", cases: &replayCases{}}
	kinds := []replay.Kind{replay.Same, replay.Differs, replay.Failed, replay.Answered, replay.Interrupted}
	for i := range mostCases + 100 {
		o := replay.Outcome{Nth: i + 1, Loop: 1, Kind: kinds[i%len(kinds)], Was: event.Exchange{Served: event.Served{Method: "GET", Path: "/\x00\x1b<", Host: "h"}}}
		switch o.Kind {
		case replay.Differs:
			o.Result.Differences = []compare.Difference{{Path: "]]>", Kind: compare.Value, Was: "1", Is: "2"}}
		case replay.Failed:
			o.Failure, o.Is.Error = replay.TimedOut, "\x02"
		}
		r.note(o)
	}
	r.finish(replay.Summary{Unsent: []replay.Unsent{{Kind: "cut body", Count: 2}}}, errors.New("line 9"), nil)
	var text strings.Builder
	if err := r.junit(&text); err != nil {
		t.Fatal(err)
	}
	var got junit.Testsuites
	if err := xml.Unmarshal([]byte(text.String()), &got); err != nil {
		t.Fatal(err)
	}
	// Behind the requests: five kinds of the others, what could not be sent, the bad line.
	if got.Tests != mostCases+7 || got.Failures != mostCases/5+2 || got.Errors != mostCases/5+1 || got.Skipped != mostCases/5+1 {
		t.Errorf("%d tests, %d failures, %d errors, %d skipped", got.Tests, got.Failures, got.Errors, got.Skipped)
	}
}

func TestAReplayIsToldInTerminalsWithoutWhatTheyObey(t *testing.T) {
	r := &replayReport{File: "f\x1b[2J", Target: "t"}
	r.finish(replay.Summary{
		Sent: 1, Worst: []replay.Worst{{Method: "GET\x1b[31m", Path: "/\u202e", Kind: replay.Differs, Differences: []compare.Difference{{Path: "a\x07", Was: "\x1b]0;x\x07", Is: "1"}}}},
		Unsent: []replay.Unsent{{Kind: "cut body", Text: "\x1b[2J"}},
	}, nil, []replay.Decision{{Host: "h\x1b[2J", Count: 1}})
	var text strings.Builder
	if err := r.text(&text); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text.String(), "\x1b\x07\u202e") {
		t.Errorf("%q", text.String())
	}
}
