package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// The forms of a report.
const (
	outputText  = "text"
	outputJUnit = "junit"
)

// replayFormat is the version of the report's JSON: it changes when a reader of the one
// before would misread it.
const replayFormat = 1

// replayReport is what a replay was and what came of it.
type replayReport struct {
	Format      int               `json:"format"`
	OK          bool              `json:"ok"`            // as the exit code says
	Why         []string          `json:"why,omitempty"` // it is not
	File        string            `json:"file"`
	Target      string            `json:"target"`
	Pace        string            `json:"pace"` // "one by one", "recorded" or "rate"
	Speed       float64           `json:"speed,omitempty"`
	AskedRate   float64           `json:"asked_rate,omitempty"` // a second
	Concurrency int               `json:"concurrency"`
	Compared    bool              `json:"compared"`
	Changed     []replay.Decision `json:"changed,omitempty"` // in requests, to reach the target
	BadFile     string            `json:"file_error,omitempty"`
	replay.Summary

	cases    *replayCases // nil where none is asked for
	keptHost bool
}

// newReport is a report of what is about to begin.
func (r *replayCommand) newReport(s sending, o replay.Options) *replayReport {
	report := &replayReport{
		Format: replayFormat, File: s.source.name, Target: s.target.base.String(), Pace: "one by one",
		Speed: r.speed, AskedRate: r.rate, Concurrency: o.Concurrency, Compared: !r.noCompare, keptHost: r.keepHost,
	}
	switch {
	case r.rate > 0:
		report.Pace = "rate"
	case r.speed > 0:
		report.Pace = "recorded"
	}
	if form, _ := reportForm(r.report); r.output == outputJUnit || form == outputJUnit {
		report.cases = &replayCases{}
	}
	return report
}

// note takes the outcome of a request.
func (r *replayReport) note(o replay.Outcome) {
	if r.cases != nil {
		r.cases.add(&o)
	}
}

// finish adds what came of it all.
func (r *replayReport) finish(s replay.Summary, err error, changed []replay.Decision) {
	r.Summary, r.Changed = s, changed
	if err != nil {
		r.BadFile = err.Error()
	}
	unsent := 0
	if r.Compared { // else the load counts, and not each request
		for _, u := range s.Unsent {
			unsent += u.Count
		}
	}
	for _, w := range []struct {
		n    int
		text string
	}{
		{s.Differs, "answered in another way"},
		{s.Failed, "had no whole answer"},
		{unsent, "could not be sent"},
		{s.Unforeseen, "answered with an error of the server's"},
	} {
		if w.n > 0 {
			r.Why = append(r.Why, fmt.Sprintf("%d %s", w.n, w.text))
		}
	}
	if !s.Ended {
		r.Why = append(r.Why, "it was interrupted")
	}
	if err != nil {
		r.Why = append(r.Why, fmt.Sprintf("%s: %s", r.File, err))
	}
	r.OK = len(r.Why) == 0
}

// err is nil where all is good.
func (r *replayReport) err() error {
	if r.OK {
		return nil
	}
	text := "not all is as recorded: "
	if !r.Compared {
		text = "not all were answered well: "
	}
	return errors.New(text + strings.Join(r.Why, "; "))
}

// openReport makes the file of --report; nil where none is asked for.
func (r *replayCommand) openReport() (*os.File, error) {
	if r.report == "" {
		return nil, nil
	}
	return newFileOf("--report", r.named(r.report))
}

// tell prints the report, and writes it to the file of --report.
func (r *replayCommand) tell(w io.Writer, file *os.File, report *replayReport) error {
	err := writeReport(w, report, r.output)
	if file == nil {
		return err
	}
	form, _ := reportForm(r.report)
	if failed := errors.Join(writeReport(file, report, form), file.Close()); failed != nil {
		err = errors.Join(err, fmt.Errorf("--report: %w", failed))
	}
	return err
}

func writeReport(w io.Writer, report *replayReport, form string) error {
	switch form {
	case outputJSON:
		return writeIndented(w, report)
	case outputJUnit:
		return report.junit(w)
	}
	return report.text(w)
}

func checkOutput(form string) error {
	switch form {
	case outputText, outputJSON, outputJUnit:
		return nil
	}
	return usageError{fmt.Errorf("--output %s: it is text, json or junit", form)}
}

// reportForm is the form that a report's file has by its name.
func reportForm(path string) (string, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return outputJSON, nil
	case ".xml":
		return outputJUnit, nil
	case "":
		if path == "" {
			return "", nil
		}
	}
	return "", usageError{fmt.Errorf("--report %s: its name ends in .json, or in .xml for JUnit", path)}
}
