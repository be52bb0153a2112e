package check

import (
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

var ok = Answer{Reply: Accepted, Status: "200 OK", Body: []byte("{}"), JSON: true, Took: time.Millisecond}

// flawless is all that is seen of a model that keeps the contract.
func flawless(protocol merlin.Protocol) *Seen {
	bad := map[string]*Bad{}
	for _, n := range nonsenses(false) {
		bad[n.rule] = &Bad{Tried: []Tried{{n.what, Answer{Reply: Refused, Status: "400 Bad Request"}}}}
	}
	return &Seen{
		Subject: Subject{
			ID: "iris-1", Deployment: merlin.Deployment{Model: "iris", Version: "1", Protocol: protocol},
			Image:   &Image{Reference: "example.com/iris:v1", Architecture: "amd64", User: "65532", Size: 1 << 20, Entrypoint: []string{"/server"}, Env: []string{"PATH=/bin"}},
			Request: []byte("{}"), RequestName: "request.json", Deadline: time.Minute, Grace: time.Second, Architecture: "amd64", MostBytes: 1 << 30,
		},
		Main: &Start{Ready: true, Took: time.Second}, Renamed: &Start{Ready: true}, OtherUser: &Start{Ready: true},
		Other: Variation{HTTPPort: otherHTTP, GRPCPort: otherGRPC, Revision: otherRevision}, User: otherUser,
		First: &First{Answer: ok},
		Contract: &Contract{
			Health: ok, Alive: ok, Predict: ok, WrongHealth: Answer{Reply: Absent, Status: "404 Not Found"}, WrongAnswer: Answer{Reply: Absent, Status: "404 Not Found"},
			Metrics: event.Scraped{Series: 1, Families: []event.Family{{Name: "requests_total"}}}, HealthService: "SERVING", Reflection: []string{upiService},
		},
		Idle: &Idle{Answers: 20, Median: time.Millisecond, CPU: time.Millisecond},
		Load: &Load{Requests: 200, AtOnce: 8, Variants: 2, Compared: true, Peak: 10 << 20, Limit: 100 << 20},
		Bad:  bad,
		End:  &End{Exit: &event.Exited{}, Finished: 3},
	}
}

// judged are the outcomes of all rules.
func judged(t *testing.T, s *Seen) map[string]Result {
	t.Helper()
	rules, err := Select(s.Deployment.Protocol, nil)
	if err != nil {
		t.Fatal(err)
	}
	results := map[string]Result{}
	for _, r := range rules {
		results[r.ID] = r.result(s)
	}
	return results
}

func TestAModelThatKeepsTheContractPassesEveryRule(t *testing.T) {
	for _, protocol := range []merlin.Protocol{merlin.HTTPJSON, merlin.UPIV1} {
		for id, r := range judged(t, flawless(protocol)) {
			if r.Outcome != Passed || r.Evidence == "" {
				t.Errorf("%s, %s: %+v", protocol, id, r)
			}
		}
	}
}

func TestEachFaultIsToldByItsRuleAlone(t *testing.T) {
	notReady := func(cause event.Cause) func(*Seen) {
		return func(s *Seen) {
			s.Main = &Start{Card: &event.Failed{What: "is not ready", Why: "it fails", Next: "mend it", Cause: cause, Certainty: event.Certain}}
		}
	}
	renamed := func(cause event.Cause) func(*Seen) {
		return func(s *Seen) {
			s.Renamed = &Start{Card: &event.Failed{What: "is not ready", Why: "it fails", Next: "mend it", Cause: cause}}
		}
	}
	tried := func(rule string, a Answer) func(*Seen) {
		return func(s *Seen) { s.Bad[rule] = &Bad{Tried: []Tried{{"nonsense", a}}} }
	}
	for _, test := range []struct {
		rule    string
		outcome Outcome
		fault   func(*Seen)
	}{
		{"image-command", Failed, func(s *Seen) { s.Image.Entrypoint = nil }},
		{"image-command", Failed, notReady(event.CauseCommandNotFound)},
		{"image-architecture", Failed, func(s *Seen) { s.Image.Architecture = "arm64" }},
		{"image-user", Warned, func(s *Seen) { s.Image.User = "" }},
		{"image-user", Warned, func(s *Seen) { s.Image.User = "0:0" }},
		{"image-size", Warned, func(s *Seen) { s.Image.Size = 2 << 30 }},
		{"image-tag", Warned, func(s *Seen) { s.Image.Reference = "localhost:5000/iris" }},
		{"image-tag", Warned, func(s *Seen) { s.Image.Reference = "iris:latest" }},
		{"image-healthcheck", Noted, func(s *Seen) { s.Image.HealthCheck = true }},
		{"image-expose", Noted, func(s *Seen) { s.Image.Exposed = []string{"5000/tcp"} }},
		{"starts", Failed, notReady(event.CauseException)},
		{"starts", Failed, notReady(event.CauseNotListening)},
		{"starts", Failed, func(s *Seen) { s.Main = &Start{} }},
		{"port-from-variable", Failed, notReady(event.CauseOtherPort)},
		{"port-from-variable", Failed, renamed(event.CauseOtherPort)},
		{"all-addresses", Failed, notReady(event.CauseLoopback)},
		{"protocol", Failed, notReady(event.CauseTLS)},
		{"protocol", Failed, notReady(event.CauseGRPCForHTTP)},
		{"artifact-read-only", Failed, notReady(event.CauseReadOnlyArtifact)},
		{"artifact-read-only", Warned, func(s *Seen) { s.Main.Refused = []string{"/mnt/models/x: Read-only file system"} }},
		{"any-user", Warned, func(s *Seen) { s.OtherUser = &Start{} }},
		{"health-after-load", Failed, func(s *Seen) { s.First = &First{Answer: Answer{Reply: Fault, Status: "503"}, Later: &ok} }},
		{"listens-after-load", Warned, func(s *Seen) {
			s.Main.Probes = []event.Probed{{Kind: "http", Status: 503, Outcome: "503 Service Unavailable"}}
		}},
		{"health-endpoint", Failed, notReady(event.CauseNoHealthPath)},
		{"full-name", Failed, notReady(event.CauseHealthPath)},
		{"full-name", Failed, renamed(event.CauseHealthPath)},
		{"full-name", Failed, renamed(event.CauseNoHealthPath)},
		{"wrong-name", Warned, func(s *Seen) { s.Contract.WrongAnswer = ok }},
		{"predict-endpoint", Failed, func(s *Seen) { s.Contract.Predict = Answer{Reply: Absent, Status: "404 Not Found"} }},
		{"predicts", Failed, func(s *Seen) { s.Contract.Predict = Answer{Reply: Refused, Status: "422"} }},
		{"predicts", Failed, func(s *Seen) { s.Contract.Predict.JSON = false }},
		{"liveness-endpoint", Failed, func(s *Seen) { s.Contract.Alive = Answer{Reply: Fault, Status: "500"} }},
		{"liveness-cheap", Warned, func(s *Seen) { s.Idle.CPU = time.Second }},
		{"liveness-cheap", Warned, func(s *Seen) { s.Idle.Median = time.Second }},
		{"metrics", Failed, func(s *Seen) { s.Contract.Metrics.Error = "404" }},
		{"metrics", Warned, func(s *Seen) { s.Contract.Metrics.Series = 0 }},
		{"metric-names", Failed, func(s *Seen) { s.Contract.Metrics.Families[0].Name = "iris-1_total" }},
		{"metric-names", Failed, func(s *Seen) {
			s.Contract.Metrics.Families[0].Series = []event.Series{{Labels: map[string]string{"a.b": ""}}}
		}},
		{"concurrent", Failed, func(s *Seen) { s.Load.Wrong, s.Load.Bad = []string{"a instead of b"}, 1 }},
		{"concurrent", Failed, func(s *Seen) { s.Load.Failed, s.Load.Bad = []string{"503"}, 1 }},
		{"memory", Failed, func(s *Seen) { s.Load.OOMKills = 1 }},
		{"memory", Failed, notReady(event.CauseOOMKilled)},
		{"memory", Warned, func(s *Seen) { s.Load.Peak = 95 << 20 }},
		{malformedBody, Failed, tried(malformedBody, Answer{Reply: Fault, Status: "500"})},
		{malformedBody, Warned, tried(malformedBody, ok)},
		{emptyBody, Failed, tried(emptyBody, Answer{Reply: Silence, Error: "connection reset"})},
		{wrongShape, Failed, func(s *Seen) { s.Bad[wrongShape].Ended = "it ended" }},
		{hugeBody, Failed, tried(hugeBody, Answer{Reply: Silence, Error: "no answer within 30s"})},
		{"sigterm-exit", Failed, func(s *Seen) { s.End.Killed = true }},
		{"sigterm-exit", Warned, func(s *Seen) { s.End.Exit.Code = 1 }},
		{"sigterm-drains", Failed, func(s *Seen) { s.End.Cut = 1 }},
	} {
		s := flawless(merlin.HTTPJSON)
		test.fault(s)
		for id, r := range judged(t, s) {
			switch {
			case id == test.rule && (r.Outcome != test.outcome || r.Evidence == "" || r.Fix == ""):
				t.Errorf("%s: %+v, wanted %s", id, r, test.outcome)
			case id != test.rule && r.Outcome != Passed && r.Outcome != NotJudged:
				t.Errorf("the fault of %s is told by %s too: %+v", test.rule, id, r)
			}
		}
	}
}

func TestFaultsOfUPI(t *testing.T) {
	for _, test := range []struct {
		rule    string
		outcome Outcome
		fault   func(*Seen)
	}{
		{"grpc-health", Warned, func(s *Seen) { s.Contract.HealthService = "" }},
		{"grpc-health", Warned, func(s *Seen) {
			s.Main = &Start{Card: &event.Failed{Cause: event.CauseGRPCNotServing, Next: "set SERVING"}}
		}},
		{"grpc-reflection", Noted, func(s *Seen) { s.Contract.Reflection, s.Contract.ReflectionError = nil, "Unimplemented" }},
		{"grpc-reflection", Noted, func(s *Seen) { s.Contract.Reflection = []string{"grpc.health.v1.Health"} }},
		{"metrics", Noted, func(s *Seen) { s.Contract.Metrics.Error = "no HTTP/1.1" }},
		{malformedBody, Passed, func(s *Seen) { s.Bad[malformedBody].Tried[0].Answer = Answer{Reply: Fault, Status: "Internal"} }},
		{wrongShape, Failed, func(s *Seen) { s.Bad[wrongShape].Tried[0].Answer = Answer{Reply: Fault, Status: "Unknown"} }},
		{"starts", Failed, func(s *Seen) { s.Main = &Start{Card: &event.Failed{Cause: event.CauseHealthPath, Next: "?"}} }},
	} {
		s := flawless(merlin.UPIV1)
		test.fault(s)
		if r := judged(t, s)[test.rule]; r.Outcome != test.outcome {
			t.Errorf("%s: %+v, wanted %s", test.rule, r, test.outcome)
		}
	}
}

func TestWhatCannotBeToldIsNotJudgedAndSaysWhy(t *testing.T) {
	for _, test := range []struct {
		rule, why string
		lack      func(*Seen)
	}{
		{"predicts", "put a request that it answers into request.json", func(s *Seen) { s.Request = nil }},
		{"concurrent", "put a request", func(s *Seen) { s.Request = nil }},
		{"health-after-load", "put a request", func(s *Seen) { s.Request = nil }},
		{"health-after-load", "see predicts", func(s *Seen) { s.First = &First{Answer: Answer{Reply: Fault}} }},
		{"sigterm-drains", "no request", func(s *Seen) { s.End = &End{Exit: &event.Exited{}, Unasked: "no request"} }},
		{"image-user", "no image", func(s *Seen) { s.Image = nil }},
		{"image-tag", "built here", func(s *Seen) { s.Image.Built = true }},
		{"any-user", "process of this host", func(s *Seen) { s.OnHost = true }},
		{"memory", "process of this host", func(s *Seen) { s.OnHost = true }},
		{"concurrent", "container_concurrency", func(s *Seen) { s.Load.AtOnce = 1 }},
		{"memory", "no sample", func(s *Seen) { s.Load.Peak = 0 }},
		{"full-name", "see port-from-variable", func(s *Seen) { s.Renamed = &Start{} }},
		{"metric-names", "see metrics", func(s *Seen) { s.Contract.Metrics.Error = "404" }},
		{"liveness-cheap", "see liveness-endpoint", func(s *Seen) { s.Idle = &Idle{} }},
		{"predicts", "cannot run here", func(s *Seen) { s.Main, s.Missing = nil, "its image cannot run here" }},
		{"wrong-name", "the check was ended", func(s *Seen) { s.Contract = nil }},
		{emptyBody, "did not come back", func(s *Seen) { delete(s.Bad, emptyBody) }},
	} {
		s := flawless(merlin.HTTPJSON)
		test.lack(s)
		if r := judged(t, s)[test.rule]; r.Outcome != NotJudged || !strings.Contains(r.Evidence, test.why) {
			t.Errorf("%s: %+v, wanted not judged: %s", test.rule, r, test.why)
		}
	}
}

func TestSecretsInAnImageAreNamedAndNeverShown(t *testing.T) {
	secrets := []string{
		"DB_PASSWORD=hunter2", "AWS_SECRET_ACCESS_KEY=abcdefgh", "api_key=0123456789", "SENTRY_AUTH_TOKEN=x1y2z3",
		"WHATEVER=AKIAIOSFODNN7EXAMPLE", "URL=postgres://bob:pa55@db/iris", "KEY=-----BEGIN RSA PRIVATE KEY-----abc", "GH=ghp_" + strings.Repeat("a", 36),
	}
	for _, line := range secrets {
		s := flawless(merlin.HTTPJSON)
		s.Image.Env = []string{"PATH=/bin", line}
		name, value, _ := strings.Cut(line, "=")
		v := imageSecrets(s)
		if v.outcome != Failed || !strings.Contains(v.evidence, name) || strings.Contains(v.evidence+v.fix, value) {
			t.Errorf("%s: %+v", line, v)
		}
	}
	for _, line := range []string{
		"GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305", "DB_PASSWORD=", "TOKEN=false", "MAX_TOKENS=100", "PASSWORD_FILE=/run/secrets/db",
		"API_KEY=/run/secrets/key", "PYTHON_SHA256=abcdef", "URL=http://db:5432/iris", "PWD=/app", "TOKENIZER=bert",
	} {
		s := flawless(merlin.HTTPJSON)
		s.Image.Env = []string{line}
		if v := imageSecrets(s); v.outcome != Passed {
			t.Errorf("%s: %+v", line, v)
		}
	}
}
