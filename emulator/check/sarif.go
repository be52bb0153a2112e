package check

import (
	"io"

	"github.com/owenrumney/go-sarif/v3/pkg/report"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// WriteSARIF writes reports as SARIF 2.1.0, for what shows findings beside code: one run,
// with all rules, and a result for each that does not hold. Many viewers would show a
// result that passes as a finding too.
func WriteSARIF(w io.Writer, reports []Report, version string) error {
	run := sarif.NewRunWithInformationURI("merlin-local check", "https://github.com/caraml-dev/merlin-local")
	run.Tool.Driver.Version = &version
	for _, r := range Rules() {
		run.AddRule(r.ID).
			WithShortDescription(sarif.NewMultiformatMessageString().WithText(r.About)).
			WithFullDescription(sarif.NewMultiformatMessageString().WithText("Told by: " + r.Sign)).
			WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(levelOf(r.Severity)))
	}
	for _, r := range reports {
		for _, result := range r.against() {
			run.AddResult(sarifResult(run, r, result))
		}
	}
	return report.NewV210Report().AddRun(run).PrettyWrite(w)
}

func sarifResult(run *sarif.Run, r Report, result Result) *sarif.Result {
	text := r.Subject + ": it does not hold that " + result.About + ": " + result.Evidence + "\nFix: " + result.Fix
	out := sarif.NewRuleResult(result.Rule).WithKind("fail").WithLevel(levelOf(result.Severity)).WithMessage(sarif.NewTextMessage(text))
	out.RuleIndex = run.GetRuleIndex(result.Rule)
	if r.Place != "" {
		place := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(r.Place)).WithRegion(sarif.NewSimpleRegion(1, 1))
		out.AddLocation(sarif.NewLocationWithPhysicalLocation(place))
	}
	return out
}

// levelOf is SARIF's word for a severity.
func levelOf(s Severity) string {
	switch s {
	case Error, Warning:
		return string(s)
	}
	return "note"
}
