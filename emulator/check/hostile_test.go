package check

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestAnAnswerWithoutEndIsReadToABound(t *testing.T) {
	l := &fakeLauncher{handler: func(string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat("x", 1<<16))); err != nil {
					return
				}
			}
		})
	}}
	report := runAll(t, l, "predicts", "predict-endpoint", malformedBody)
	for id, outcome := range map[string]Outcome{"predicts": Failed, "predict-endpoint": Passed, malformedBody: Warned} {
		i := slices.IndexFunc(report.Results, func(r Result) bool { return r.Rule == id })
		if r := report.Results[i]; r.Outcome != outcome || len(r.Evidence) > 1000 {
			t.Errorf("%s: %s, of %d letters: %.200s", id, r.Outcome, len(r.Evidence), r.Evidence)
		}
	}
}

func TestWhatIsNoHTTPIsNoAnswer(t *testing.T) {
	l := &fakeLauncher{handler: func(string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			fmt.Fprintln(conn, "garbage")
			_ = conn.Close()
		})
	}}
	s := subject()
	s.Request = nil // nothing that might be answered later is waited for
	rules, err := Select(merlin.HTTPJSON, []string{"predict-endpoint", "liveness-endpoint"})
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), s, l, rules)
	if err != nil || len(report.Results) != len(rules) {
		t.Fatalf("%v: %+v", err, report)
	}
	for _, r := range report.Results {
		if r.Outcome != Failed || r.Fix == "" {
			t.Errorf("%+v", r)
		}
	}
}
