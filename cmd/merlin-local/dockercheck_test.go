//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	checks "github.com/caraml-dev/merlin-local/emulator/check"
)

// faultymodel is the program of testdata/faultymodel, static, built once.
var faultymodel = sync.OnceValues(func() (string, error) {
	return build("faultymodel", "./testdata/faultymodel")
})

// faulty is a repo whose image has one fault, and what check says of it.
type faulty struct {
	fault      string
	upi        bool
	dockerfile string // lines besides, before the last
	config     string
	flags      []string
	fails      string // the rule that does not hold
	as         checks.Outcome
	says       string // in its evidence
}

// goodDockerfile makes an image without a fault.
const goodDockerfile = "FROM scratch\nCOPY faultymodel /faultymodel\nUSER 65532:65532\n"

// repo writes the repo of a faulty model.
func (f faulty) repo(t *testing.T) *lab {
	t.Helper()
	config, request := "model: iris\n", `{"instances": [1, 2, 3]}`
	if f.upi {
		config += "protocol: UPI_V1\n"
		request = `{"prediction_table": {"columns": [{"name": "x", "type": "TYPE_DOUBLE"}], "rows": [{"row_id": "a", "values": [{"double_value": 1}]}, {"row_id": "b", "values": [{"double_value": 2}]}]}}`
	}
	lines := goodDockerfile + "ENV FAULT=" + f.fault + "\n" + f.dockerfile
	if !strings.Contains(f.dockerfile, "ENTRYPOINT") {
		lines += "ENTRYPOINT [\"/faultymodel\"]\n"
	}
	l := newLab(t, "", map[string]string{
		"merlin-local.yaml": config + f.config, "request.json": request,
		"Dockerfile": lines, ".dockerignore": "*\n!faultymodel\n",
	})
	program, err := faultymodel()
	check(t, err)
	check(t, os.Link(program, filepath.Join(l.repo, "faultymodel")))
	return l
}

// checked runs check and returns its only report, with its exit code.
func (l *lab) checked(args ...string) (report checks.Report, code int) {
	l.t.Helper()
	c := l.command(append([]string{"check", "-o", "json", "--runtime", "docker"}, args...)...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	var reports []checks.Report
	if err := json.Unmarshal(out.Bytes(), &reports); err != nil || len(reports) != 1 {
		l.t.Fatalf("check %q wrote (%v):\n%s%s", args, err, out.Bytes(), errs.Bytes())
	}
	return reports[0], c.ProcessState.ExitCode()
}

// against are the results of rules that do not hold.
func against(r checks.Report) (some []checks.Result) {
	for _, result := range r.Results {
		if result.Outcome != checks.Passed && result.Outcome != checks.NotJudged {
			some = append(some, result)
		}
	}
	return some
}

// sameRule fails where anything but the one rule does not hold.
func (f faulty) sameRule(t *testing.T, report checks.Report, code int) {
	t.Helper()
	found := against(report)
	if len(found) != 1 || found[0].Rule != f.fails || found[0].Outcome != f.as {
		t.Fatalf("does not hold: %+v, wanted %s alone, as %s", found, f.fails, f.as)
	}
	if found[0].Fix == "" || !strings.Contains(found[0].Evidence, f.says) {
		t.Errorf("it says %q, without %q; fix: %q", found[0].Evidence, f.says, found[0].Fix)
	}
	if want := map[checks.Outcome]int{checks.Failed: exitFailed}[f.as]; code != want {
		t.Errorf("the exit code is %d, not %d", code, want)
	}
}

func TestCheckNamesEachFaultOfAnImageAndNoOther(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, SO NOT PROVEN: -short")
	}
	for _, f := range []faulty{
		{fault: "exits", fails: "starts", as: checks.Failed, says: "bad magic number"},
		{fault: "own-port", fails: "port-from-variable", as: checks.Failed, says: "CARAML_HTTP_PORT=18231"},
		{fault: "loopback", fails: "all-addresses", as: checks.Failed, says: "127.0.0.1:8080"},
		{fault: "tls", fails: "protocol", as: checks.Failed, says: "TLS"},
		{fault: "writes-artifact", fails: "artifact-read-only", as: checks.Failed, says: "cache.bin"},
		{fault: "one-user", fails: "any-user", as: checks.Warned, says: "permission denied"},
		{fault: "healthy-early", fails: "health-after-load", as: checks.Failed, says: "503"},
		{fault: "listens-early", fails: "listens-after-load", as: checks.Warned, says: "503"},
		{fault: "no-content", fails: "health-endpoint", as: checks.Failed, says: "204"},
		{fault: "model-name", fails: "full-name", as: checks.Failed, says: "CARAML_MODEL_NAME"},
		{fault: "own-name", fails: "full-name", as: checks.Failed, says: "iris-1-r7"},
		{fault: "any-name", fails: "wrong-name", as: checks.Warned, says: "iris-1-of-nobody"},
		{fault: "no-predict", fails: "predict-endpoint", as: checks.Failed, says: "404"},
		{fault: "predict-ends", fails: "predict-endpoint", as: checks.Failed, says: "exit code 9"},
		{fault: "refuses", fails: "predicts", as: checks.Failed, says: "422"},
		{fault: "no-json", fails: "predicts", as: checks.Failed, says: "no JSON"},
		{fault: "no-liveness", fails: "liveness-endpoint", as: checks.Failed, says: "404"},
		{fault: "costly-liveness", fails: "liveness-cheap", as: checks.Warned, says: "takes"},
		{fault: "no-metrics", fails: "metrics", as: checks.Failed, says: "404"},
		{fault: "metric-names", fails: "metric-names", as: checks.Failed, says: "iris-1.predictions"},
		{fault: "shares", fails: "concurrent", as: checks.Failed, says: "instead of"},
		{fault: "crowd-ends", fails: "concurrent", as: checks.Failed, says: "exit code 9"},
		{fault: "fat", config: "resource_request: { memory_request: 100Mi }\n", fails: "memory", as: checks.Warned, says: "of 200.0 MiB"},
		{fault: "malformed", fails: "malformed-body", as: checks.Failed, says: "500"},
		{fault: "empty", fails: "empty-body", as: checks.Failed, says: "500"},
		{fault: "shape", fails: "wrong-shape", as: checks.Failed, says: "500"},
		{fault: "takes-anything", fails: "wrong-shape", as: checks.Warned, says: "200"},
		{fault: "huge", fails: "huge-body", as: checks.Failed, says: "exit code 9"},
		{fault: "ignores-sigterm", flags: []string{"--grace", "2s"}, fails: "sigterm-exit", as: checks.Failed, says: "2s"},
		{fault: "exit-code", fails: "sigterm-exit", as: checks.Warned, says: "exit code 3"},
		{fault: "cuts", fails: "sigterm-drains", as: checks.Failed, says: "3 of 3"},
		{fault: "no-health", upi: true, fails: "grpc-health", as: checks.Warned, says: "no gRPC health"},
		{fault: "no-reflection", upi: true, fails: "grpc-reflection", as: checks.Noted, says: "Unimplemented"},
		{fault: "no-metrics", upi: true, fails: "metrics", as: checks.Noted, says: "HTTP/1.1"},
		{fault: "no-predict", upi: true, fails: "predict-endpoint", as: checks.Failed, says: "Unimplemented"},
		{fault: "own-port", upi: true, fails: "port-from-variable", as: checks.Failed, says: "CARAML_GRPC_PORT=19231"},
		{fault: "shape", upi: true, fails: "wrong-shape", as: checks.Failed, says: "Unknown"},
	} {
		name := f.fails + "/" + f.fault
		if f.upi {
			name += ", UPI"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := f.repo(t)
			report, code := l.checked(append(f.rules(), f.flags...)...)
			f.sameRule(t, report, code)
			l.nothingLeft()
		})
	}
}

// rules are all, but for the one that takes seconds to measure where liveness is not at
// fault.
func (f faulty) rules() (flags []string) {
	for _, r := range checks.Rules() {
		if r.ID != "liveness-cheap" || strings.Contains(f.fault, "liveness") {
			flags = append(flags, "--rule", r.ID)
		}
	}
	return flags
}

// imageIDs are the rules about the image itself, which need no container.
func imageIDs() (flags []string) {
	for _, r := range checks.Rules() {
		if r.Group == checks.ImageGroup {
			flags = append(flags, "--rule", r.ID)
		}
	}
	return flags
}

func TestCheckNamesEachFaultInWhatAnImageSaysOfItself(t *testing.T) {
	t.Parallel() // it waits, most of its time
	for _, f := range []faulty{
		{dockerfile: "ENTRYPOINT []\n", fails: "image-command", as: checks.Failed, says: "neither ENTRYPOINT nor CMD"},
		{flags: []string{"--architecture", "riscv64"}, fails: "image-architecture", as: checks.Failed, says: "riscv64"},
		{dockerfile: "ENV DB_PASSWORD=hunter22\n", fails: "image-secrets", as: checks.Failed, says: "DB_PASSWORD"},
		{dockerfile: "USER 0\n", fails: "image-user", as: checks.Warned, says: "root"},
		{flags: []string{"--image-size", "1MiB"}, fails: "image-size", as: checks.Warned, says: "more than 1.0 MiB"},
		{dockerfile: "HEALTHCHECK CMD [\"/faultymodel\"]\n", fails: "image-healthcheck", as: checks.Noted, says: "HEALTHCHECK"},
		{dockerfile: "EXPOSE 5000\n", fails: "image-expose", as: checks.Noted, says: "5000/tcp"},
	} {
		t.Run(f.fails, func(t *testing.T) {
			t.Parallel()
			l := f.repo(t)
			report, code := l.checked(append(imageIDs(), f.flags...)...)
			f.sameRule(t, report, code)
			if evidence := against(report)[0].Evidence; strings.Contains(evidence, "hunter22") {
				t.Errorf("the secret is shown: %s", evidence)
			}
			l.nothingLeft()
		})
	}
}

func TestCheckOfAnImageByAMovingTagSaysSo(t *testing.T) {
	l, image := prebuilt(t)
	const name = "merlin-local-check-test"
	check(t, l.call(http.MethodPost, "/images/"+image+"/tag?repo="+name+"&tag=latest", nil))
	t.Cleanup(func() { check(t, l.call(http.MethodDelete, "/images/"+name+":latest", nil)) })
	report, _ := l.checked("--image", name, "--model", "iris", "--rule", "image-tag", "--rule", "predicts")
	faulty{fails: "image-tag", as: checks.Warned, says: name}.sameRule(t, report, 0)
	i := slices.IndexFunc(report.Results, func(r checks.Result) bool { return r.Rule == "predicts" })
	contains(t, report.Results[i].Evidence, "put a request that it answers into request.json")
	l.nothingLeft()
}

func TestCheckPassesTheSamples(t *testing.T) {
	t.Parallel() // it waits, most of its time
	for name, args := range map[string][]string{
		"iris-http-go": nil, "eta-upi-go": nil,
		"churn-python": {"--build-arg", "BASE_IMAGE=" + pythonBase},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := sample(t, name)
			if name == "churn-python" {
				skipWithoutPythonBase(t, l)
			}
			report, code := l.checked(append(args, "--severity", "info")...)
			for _, r := range report.Results {
				if r.Outcome != checks.Passed && r.Rule != "image-tag" {
					t.Errorf("%s: %s: %s", r.Rule, r.Outcome, r.Evidence)
				}
			}
			if code != 0 {
				t.Errorf("the exit code is %d", code)
			}
			l.nothingLeft()
		})
	}
}
