package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// mostCases is how many requests are test cases of their own; the others are told
// together, so that a recording of any length can be replayed.
const mostCases = 2000

// replayCases are a replay's requests as test cases.
type replayCases struct {
	suite junit.Testsuite
	more  map[replay.Kind]int
}

func (r *replayCases) add(o *replay.Outcome) {
	if len(r.suite.Testcases) >= mostCases {
		if r.more == nil {
			r.more = map[replay.Kind]int{}
		}
		r.more[o.Kind]++
		return
	}
	name := fmt.Sprintf("%s %s %s", requestName(o.Nth, o.Was.ID), o.Was.Method, o.Was.Path)
	if o.Loop > 1 {
		name += fmt.Sprintf(", loop %d", o.Loop)
	}
	c := junit.Testcase{Name: name, Classname: o.Was.Host, Time: fmt.Sprintf("%.6f", o.Took.Seconds())}
	switch o.Kind {
	case replay.Failed:
		c.Error = &junit.Result{Message: o.Failure, Type: string(o.Kind), Data: prose.Clean(o.Is.Error)}
	case replay.Differs:
		lines := differenceLines(o.Result.Differences, o.Result.More)
		for i := range lines {
			lines[i] = prose.Clean(lines[i]) // CDATA is written as it is
		}
		c.Failure = &junit.Result{Message: lines[0], Type: string(o.Kind), Data: strings.Join(lines, "\n")}
	case replay.Answered:
		c.SystemOut = &junit.Output{Data: fmt.Sprintf("answered with status %d; not compared", o.Is.Status)}
	case replay.Interrupted:
		c.Skipped = &junit.Result{Message: "given up: the replay was interrupted"}
	}
	r.suite.AddTestcase(c)
}

// junit writes the report as a suite of tests.
func (r *replayReport) junit(w io.Writer) error {
	suite := r.cases.suite
	suite.Name, suite.Time = "replay "+r.File, fmt.Sprintf("%.6f", r.Took.Seconds())
	suite.AddProperty("target", r.Target)
	suite.AddProperty("pace", r.Pace)
	for _, kind := range []replay.Kind{replay.Same, replay.Answered, replay.Differs, replay.Failed, replay.Interrupted} {
		if n := r.cases.more[kind]; n > 0 {
			c := junit.Testcase{Name: fmt.Sprintf("%d more requests: %s", n, kind), Classname: "replay"}
			if kind == replay.Differs || kind == replay.Failed {
				c.Failure = &junit.Result{Message: fmt.Sprintf("%d requests: %s", n, kind), Type: string(kind)}
			}
			suite.AddTestcase(c)
		}
	}
	for _, u := range r.Unsent {
		c := junit.Testcase{Name: fmt.Sprintf("%d requests that could not be sent: %s", u.Count, u.Kind), Classname: "replay"}
		c.Skipped = &junit.Result{Message: u.Text}
		suite.AddTestcase(c)
	}
	if r.BadFile != "" {
		suite.AddTestcase(junit.Testcase{Name: "the whole file is read", Classname: "replay", Error: &junit.Result{Message: r.BadFile}})
	}
	var all junit.Testsuites
	all.AddSuite(suite)
	return all.WriteXML(w)
}
