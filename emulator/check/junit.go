package check

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jstemmer/go-junit-report/v2/junit"
)

// WriteJUnit writes reports as JUnit XML: a suite a model, a case a rule. A rule that does
// not hold is a failure where its severity is at least the given one, else it passes with
// its evidence as output; one that is not judged is skipped.
func WriteJUnit(w io.Writer, reports []Report, severity Severity) error {
	var suites junit.Testsuites
	for _, r := range reports {
		suite := junit.Testsuite{Name: r.Subject, Time: fmt.Sprintf("%.3f", r.Took.Seconds())}
		for _, result := range r.Results {
			suite.AddTestcase(testcase(r, result, severity))
		}
		suites.AddSuite(suite)
	}
	if err := suites.WriteXML(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func testcase(r Report, result Result, severity Severity) junit.Testcase {
	c := junit.Testcase{Name: result.Rule, Classname: r.Subject + "." + string(result.Group)}
	evidence := inXML(result.Evidence)
	switch result.Outcome {
	case NotJudged:
		c.Skipped = &junit.Result{Message: evidence}
		return c
	case Failed, Warned, Noted:
		if result.Severity.AtLeast(severity) {
			c.Failure = &junit.Result{Message: evidence, Type: string(result.Severity), Data: inXML(result.About + "\n" + result.Evidence + "\nfix: " + result.Fix)}
			return c
		}
		evidence = inXML(string(result.Outcome) + ": " + result.Evidence + "\nfix: " + result.Fix)
	}
	c.SystemOut = &junit.Output{Data: evidence}
	return c
}

// inXML is text that may stand in XML, in a CDATA section too.
func inXML(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == unicode.ReplacementChar || r == 0xfffe || r == 0xffff {
			return '?'
		}
		return r
	}, text)
	return strings.ReplaceAll(text, "]]>", "]] >")
}
