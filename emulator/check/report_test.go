package check

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func reported() []Report {
	return []Report{{
		Subject: "iris-1", Protocol: merlin.HTTPJSON, Image: "iris:v1", Took: 1500 * time.Millisecond, Place: "Dockerfile",
		Results: []Result{
			{Rule: "image-user", Group: ImageGroup, Severity: Warning, Outcome: Warned, About: "the image does not run as root", Evidence: "it runs as root", Fix: "add USER"},
			{Rule: "image-expose", Group: ImageGroup, Severity: Info, Outcome: Noted, About: "EXPOSE", Evidence: "EXPOSE says 5000/tcp", Fix: "leave it out"},
			{Rule: "starts", Group: StartGroup, Severity: Error, Outcome: Passed, About: "it is ready in time", Evidence: "ready after 1s"},
			{Rule: "predicts", Group: ContractGroup, Severity: Error, Outcome: Failed, About: "it answers", Evidence: "500: <a> ]]> \x1b[31m & \x00", Fix: "mend the model"},
			{Rule: "concurrent", Group: RequestGroup, Severity: Error, Outcome: NotJudged, About: "concurrent requests", Evidence: "put a request into request.json"},
		},
	}}
}

func TestTextTellsWhatDoesNotHoldFirst(t *testing.T) {
	reports := reported()
	reports[0].Results[3].Evidence = "500 Internal Server Error"
	var out bytes.Buffer
	if err := WriteText(&out, reports); err != nil {
		t.Fatal(err)
	}
	want := `iris-1  HTTP_JSON, image iris:v1

FAIL        predicts      500 Internal Server Error
                          fix: mend the model

WARNING     image-user    it runs as root
                          fix: add USER

info        image-expose  EXPOSE says 5000/tcp
                          fix: leave it out

not judged  concurrent    put a request into request.json

pass        starts        ready after 1s

iris-1: 1 passed, 1 failed, 1 warning, 1 note, 1 not judged, in 1.5s
`
	if out.String() != want {
		t.Errorf("it wrote\n%s\nwanted\n%s", out.String(), want)
	}
}

func TestTextNeverDrivesATerminal(t *testing.T) {
	var out bytes.Buffer
	if err := WriteText(&out, reported()); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\x00") {
		t.Errorf("%q", out.String())
	}
}

func TestJUnitCanBeReadAndFailsBySeverity(t *testing.T) {
	for severity, failures := range map[Severity]int{Error: 1, Warning: 2, Info: 3} {
		var out bytes.Buffer
		if err := WriteJUnit(&out, reported(), severity); err != nil {
			t.Fatal(err)
		}
		var suites junit.Testsuites
		if err := xml.Unmarshal(out.Bytes(), &suites); err != nil {
			t.Fatalf("%v:\n%s", err, out.String())
		}
		s := suites.Suites[0]
		if s.Name != "iris-1" || s.Tests != 5 || s.Failures != failures || s.Skipped != 1 || len(s.Testcases) != 5 {
			t.Errorf("%s: %+v", severity, s)
		}
	}
}

func TestSARIFIsValid(t *testing.T) {
	var out bytes.Buffer
	if err := WriteSARIF(&out, reported(), "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	found, err := sarif.FromBytes(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := found.Validate(); err != nil {
		t.Errorf("%v:\n%s", err, out.String())
	}
	run := found.Runs[0]
	if len(run.Tool.Driver.Rules) != len(Rules()) || len(run.Results) != 3 {
		t.Errorf("%d rules and %d results", len(run.Tool.Driver.Rules), len(run.Results))
	}
	for i, want := range [][2]string{{"fail", "warning"}, {"fail", "note"}, {"fail", "error"}} {
		r := run.Results[i]
		if r.Kind != want[0] || r.Level != want[1] || *run.Tool.Driver.Rules[r.RuleIndex].ID != *r.RuleID {
			t.Errorf("result %d: %s %s, rule %d", i, r.Kind, r.Level, r.RuleIndex)
		}
	}
}

func TestJSONHasEveryResult(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJSON(&out, reported()); err != nil {
		t.Fatal(err)
	}
	var read []Report
	if err := json.Unmarshal(out.Bytes(), &read); err != nil || len(read) != 1 || len(read[0].Results) != 5 || read[0].Results[0] != reported()[0].Results[0] {
		t.Errorf("%v: %+v", err, read)
	}
}

func TestSeverityDecidesWhatFails(t *testing.T) {
	r := reported()[0]
	r.Results = r.Results[:3]
	if r.Fails(Error) || !r.Fails(Warning) || !r.Fails(Info) {
		t.Error("a warning fails by severity warning and info, and not by error")
	}
}

func TestTheReadmeHasTheTableOfRules(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| rule | severity | it holds where | told by |\n|---|---|---|---|\n")
	for _, r := range Rules() {
		about := r.About
		if r.Protocol != "" {
			about += " (`" + string(r.Protocol) + "`)"
		}
		table.WriteString("| `" + r.ID + "` | " + string(r.Severity) + " | " + about + " | " + r.Sign + " |\n")
	}
	if !strings.Contains(string(readme), table.String()) {
		t.Errorf("README.md has not this table:\n%s", table.String())
	}
}
