package check

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLauncher serves a handler in this process, as a model that is ready at once.
type fakeLauncher struct {
	handler func(fullName string) http.Handler
	card    *event.Failed // instead of readiness

	mu         sync.Mutex
	variations []Variation
}

// fakeRun is a replica of it.
type fakeRun struct {
	*event.Subscription
	stop context.CancelFunc
}

func (r fakeRun) Stop() { r.stop() }

func (l *fakeLauncher) Launch(ctx context.Context, v Variation) Running {
	l.mu.Lock()
	l.variations = append(l.variations, v)
	l.mu.Unlock()
	stream := event.NewStream()
	ctx, stop := context.WithCancel(ctx)
	run := fakeRun{stream.Subscribe(), stop}
	d := subject().Deployment
	d.Revision = v.Revision
	server := httptest.NewServer(l.handler(d.FullName()))
	stream.Publish("iris-1", 1, event.Started{Address: strings.TrimPrefix(server.URL, "http://")})
	if l.card == nil {
		stream.Publish("iris-1", 1, event.PhaseChanged{Phase: event.PhaseReady})
	} else {
		stream.Publish("iris-1", 1, *l.card)
	}
	go func() {
		<-ctx.Done()
		server.Close() // waits for its requests
		stream.Publish("iris-1", 1, event.Exited{Expected: true})
		stream.Close()
	}()
	return run
}

func subject() Subject {
	return Subject{
		ID: "iris-1", Deployment: merlin.Deployment{Project: "p", Model: "iris", Version: "1", Protocol: merlin.HTTPJSON},
		OnHost: true, Request: []byte(`{"instances": [1, 2]}`), RequestName: "request.json", Deadline: time.Minute, Timeout: time.Minute, Grace: time.Second, Hide: []string{"s3cret"},
	}
}

// twice is a model that keeps the contract.
func twice(fullName string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "requests_total 1") })
	mux.HandleFunc("GET /v1/models/"+fullName, func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /v1/models/"+fullName+":predict", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Instances []float64 }
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || json.Unmarshal(body, &in) != nil || in.Instances == nil {
			http.Error(w, `{"error": "no instances"}`, http.StatusBadRequest)
			return
		}
		for i := range in.Instances {
			in.Instances[i] *= 2
		}
		_ = json.NewEncoder(w).Encode(in)
	})
	return mux
}

func runAll(t *testing.T, l *fakeLauncher, ids ...string) Report {
	t.Helper()
	rules, err := Select(merlin.HTTPJSON, ids)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), subject(), l, rules)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAGoodModelIsFoundGoodByWhatItAnswers(t *testing.T) {
	l := &fakeLauncher{handler: twice}
	report := runAll(t, l)
	for _, r := range report.Results {
		if r.Outcome != Passed && r.Outcome != NotJudged {
			t.Errorf("%+v", r)
		}
	}
	if passed := len(report.of(Passed)); passed < 20 {
		t.Errorf("only %d rules passed: %+v", passed, report.of(NotJudged))
	}
	if len(l.variations) != 2 || !slices.Contains(l.variations, Variation{Revision: otherRevision}) {
		t.Errorf("it was run as %+v", l.variations)
	}
}

func TestOnlyWhatTheRulesNeedIsRun(t *testing.T) {
	l := &fakeLauncher{handler: twice}
	if report := runAll(t, l, "image-user"); len(l.variations) != 0 || len(report.Results) != 1 {
		t.Errorf("run as %+v for %+v", l.variations, report.Results)
	}
	if runAll(t, l, "predicts"); len(l.variations) != 1 {
		t.Errorf("run as %+v for one answer", l.variations)
	}
}

func TestAnAnswerThatQuotesASecretIsToldWithoutIt(t *testing.T) {
	l := &fakeLauncher{handler: func(string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "cannot log in with s3cret", http.StatusUnauthorized)
		})
	}}
	var out strings.Builder
	if err := WriteText(&out, []Report{runAll(t, l, "predicts", "liveness-endpoint")}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "s3cret") || !strings.Contains(out.String(), "cannot log in with ***") {
		t.Error(out.String())
	}
}

func TestAModelThatNeverAnswersToANameOfItsOwnIsWaitedForNoLongerThanItsCauseIsCertain(t *testing.T) {
	l := &fakeLauncher{handler: twice, card: &event.Failed{What: "runs, but is not ready", Why: "404", Next: "mend it", Cause: event.CauseHealthPath, Certainty: event.Certain}}
	for _, r := range runAll(t, l).Results {
		if r.Rule == "full-name" && r.Outcome != Failed || r.Rule != "full-name" && r.Outcome != NotJudged && r.Group != ImageGroup {
			t.Errorf("%+v", r)
		}
	}
}

func TestAnEndOfTheCheckIsAnErrorAndLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rules, err := Select(merlin.HTTPJSON, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(ctx, subject(), &fakeLauncher{handler: twice}, rules); err == nil {
		t.Error("a check that was ended is a whole one")
	}
}

// told is a source of events that a test writes.
type told struct{ *event.Stream }

func (s told) running() Running { return fakeRun{s.Subscribe(), func() {}} }

func TestReadinessIsWaitedForAsLongAsThereIsHope(t *testing.T) {
	certain := event.Failed{Cause: event.CauseOtherPort, Certainty: event.Certain}
	guess := event.Failed{Cause: event.CauseNotListening, Certainty: event.Guess}
	ready := event.PhaseChanged{Phase: event.PhaseReady}
	for name, test := range map[string]struct {
		facts []event.Fact // one a second
		ready bool
		after time.Duration // it is given up, or ready
	}{
		"ready":                         {[]event.Fact{event.Started{}, ready}, true, time.Second},
		"a guess is waited out":         {[]event.Fact{guess, guess, ready}, true, 2 * time.Second},
		"never":                         {[]event.Fact{guess}, false, time.Minute},
		"certain":                       {[]event.Fact{certain}, false, certainFor},
		"certain, and mended in time":   {[]event.Fact{certain, ready}, true, time.Second},
		"certain, and no longer so":     {[]event.Fact{certain, guess, ready}, true, 2 * time.Second},
		"certain, and of another cause": {[]event.Fact{certain, event.Failed{Cause: event.CauseTLS, Certainty: event.Certain}}, false, time.Second + certainFor},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := told{event.NewStream()}
				l := follow(t.Context(), s.running())
				begun := time.Now()
				go func() {
					for _, f := range test.facts {
						s.Publish("iris-1", 1, f)
						time.Sleep(time.Second)
					}
				}()
				known, is := l.becomesReady(t.Context(), time.Minute)
				if is != test.ready || known.ready != test.ready || time.Since(begun) != test.after {
					t.Errorf("ready: %t after %s", is, time.Since(begun))
				}
				time.Sleep(time.Minute)
				s.Close()
				<-l.done
			})
		})
	}
}

func TestSmallerRequestsTellAnswersApart(t *testing.T) {
	s := subject()
	s.Request = []byte(`{"name": "x", "rows": [{"a": 1}, {"a": 2}], "z": 1}`)
	var got []string
	for _, v := range variants(s.Request, lists(&s)) {
		got = append(got, string(v))
	}
	want := []string{string(s.Request), `{"name": "x", "rows": [{"a": 1}], "z": 1}`, `{"name": "x", "rows": [{"a": 2}], "z": 1}`}
	if !slices.Equal(got, want) {
		t.Errorf("%q, wanted %q", got, want)
	}
}

func TestAnswersAreComparedByWhatTheySay(t *testing.T) {
	answer := func(text string) Answer { return Answer{Reply: Accepted, Body: []byte(text), JSON: true} }
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{`{"a": 1, "b": [1, 2]}`, `{"b":[1,2],"a":1}`, true},
		{`[0.30000001]`, `[0.3]`, true},
		{`[0.31]`, `[0.3]`, false},
		{`[1, 2]`, `[2, 1]`, false},
		{`{"a": 1}`, `{"a": 1, "b": 2}`, false},
		{`"1"`, `1`, false},
		{`null`, `false`, false},
	} {
		if same(answer(test.a), answer(test.b)) != test.same {
			t.Errorf("%s and %s are the same: %t", test.a, test.b, !test.same)
		}
	}
}
