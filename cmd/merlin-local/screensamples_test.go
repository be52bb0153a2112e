//go:build unix

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// copyOfSample is a lab in a copy of a sample's folder, which a test may edit.
func copyOfSample(t *testing.T, name string) *lab {
	t.Helper()
	l := newLab(t, "", nil)
	check(t, os.CopyFS(l.repo, os.DirFS(filepath.Join("..", "..", "sample-models", name))))
	return l
}

// edit replaces a text in a file of the repo, where it must be.
func (l *lab) edit(name, before, after string) {
	l.t.Helper()
	path := filepath.Join(l.repo, name)
	text, err := os.ReadFile(path)
	check(l.t, err)
	if !strings.Contains(string(text), before) {
		l.t.Fatalf("%s has no %q", name, before)
	}
	check(l.t, os.WriteFile(path, []byte(strings.Replace(string(text), before, after, 1)), 0o644))
}

func TestScreenOfTheIrisSampleFromUpToItsSummary(t *testing.T) {
	l := sample(t, "iris-http-go")
	term := newTmux(l, 120, 40)
	term.shell("merlin-local up --runtime docker --port 0")
	term.await("iris-1 READY", "1 Overview", "2 Requests", "3 Logs", "4 Metrics", "/v1/models/iris-1:predict")
	l.must("predict")
	l.must("predict")
	if out, code := l.run("predict", "-d", `{"instances": [[5.1]]}`); code == 0 {
		t.Fatalf("a request with one value is answered: %s", out)
	}
	term.await("req/s", "errors 0")

	t.Run("requests", func(t *testing.T) { requestsOfIris(t, term.of(t)) })
	t.Run("logs", func(t *testing.T) { logsOfIris(term.of(t)) })
	t.Run("metrics", func(t *testing.T) { metricsOfIris(term.of(t)) })
	t.Run("layout", func(t *testing.T) { layoutOfIris(term.of(t)) })

	term.keys("R")
	term.await("revision 2 serves")
	term.keys("q", "y")
	term.await("iris-1  revision 2  3 requests, 0 errors", "1 reload, 0 failed")
	term.prompt()
	l.nothingLeft()
}

func requestsOfIris(t *testing.T, term *tmux) {
	term.keys("2", "z")
	term.await("POST /v1/models/iris-1:predict", "· 200", "! 400")
	term.keys("/", "text:~c 4xx", "Enter")
	term.without("! 400", "· 200")
	term.keys("Enter")
	term.await("400 Bad Request", "REQUEST", `{"instances": [[5.1]]}`, "ANSWER", "instances[0] has 1 values", "first byte")
	term.keys("y")
	term.await("copied", "into tmux's buffer")
	contains(t, term.copied(), "curl", "/v1/models/iris-1:predict", `{"instances": [[5.1]]}`)
	term.keys("Escape")
	term.without("! 400", "ANSWER")
	term.keys("Escape") // the filter
	term.await("· 200", "! 400")
	term.keys("z")
}

func logsOfIris(term *tmux) {
	term.keys("3", "z")
	term.await("INFO serving", "container")
	term.keys("s", "text:species", "Enter")
	term.await(`"species" 1/1`)
	term.keys("Escape", "z")
}

func metricsOfIris(term *tmux) {
	term.keys("4", "z")
	term.await("rate", "p95", "in flight")
	term.keys("m", "/", "text:iris_predictions", "Enter")
	term.await(`iris_predictions_total`, "setosa")
	term.keys("p", "m")
	term.await("in flight", "iris_predictions_total") // the pinned one is among the port's
	term.keys("z")
}

func layoutOfIris(term *tmux) {
	term.keys("1", "z")
	term.without("1 Overview", "┏")
	term.keys("5")
	term.await("Variables", "CARAML_HTTP_PORT", "Mounts", "/mnt/models")
	term.keys("/", "text:PORT", "Enter")
	term.without("CARAML_HTTP_PORT", "/mnt/models")
	term.keys("Escape", "6")
	term.await("built at the start", "go build")
	term.keys("?")
	term.await("everywhere", "stop the session and leave")
	term.keys("Escape", ":", "text:show over", "Enter", "z")
	term.await("1 Overview", "┏")
	term.resize(80, 24)
	term.await("iris-1 READY", "1 Overview")
	term.resize(40, 10)
	term.await("too small", "iris-1 READY")
	term.resize(200, 60)
	term.await("1 Overview", "5 Environment", "6 Builds")
}

func TestScreenOfTheETASampleShowsUPITables(t *testing.T) {
	l := sample(t, "eta-upi-go")
	term := newTmux(l, 120, 40)
	term.shell("merlin-local up --runtime docker --port 0")
	term.await("eta-1 READY", "UPI_V1")
	l.must("predict")
	term.keys("2", "z")
	term.await("PredictValues", "· OK")
	term.keys("Enter")
	term.await("distance_km", "rush-hour-rain", "eta_minutes", "30.8")
	term.keys("y")
	term.await("copied")
	contains(t, term.copied(), "grpcurl", "UniversalPredictionService/PredictValues", "rush-hour-rain")
	term.keys("q", "y")
	term.await("eta-1  revision 1  1 request, 0 errors")
	term.prompt()
	l.nothingLeft()
}

func TestScreenOfTheChurnSampleShowsWhatBreaksAndWhatMends(t *testing.T) {
	l := copyOfSample(t, "churn-python")
	skipWithoutPythonBase(t, l)
	l.edit("app.py", "churn.parse(await read(request))", "churn.parse(await raed(request))")
	term := newTmux(l, 120, 40)
	term.shell("merlin-local up --runtime docker --port 0 --build-arg BASE_IMAGE=" + pythonBase)
	term.await("churn-1 READY")
	if out, code := l.run("predict"); code == 0 {
		t.Fatalf("a broken handler answers: %s", out)
	}
	term.await("✗ 500", "errors 1 of 1")
	term.keys("3", "z")
	term.await("NameError: name 'raed' is not defined")
	term.keys("Enter") // the record that was written last, unfolded
	term.await("Traceback (most recent call last)")
	term.keys("G")
	term.await(`File "/app/app.py"`, "raed(request)")

	term.keys("1")
	l.edit("app.py", "float(os.environ", "flaot(os.environ")
	term.await("RELOAD FAILED", "NameError: name 'flaot' is not defined", "next:", "churn-1 READY  revision 1", "STALE app.py")
	l.edit("app.py", "flaot(", "float(")
	l.edit("app.py", "raed(", "read(")
	term.await("churn-1 READY  revision", "revision 3 serves")
	term.without("revision 3 serves", "STALE")
	l.must("predict")
	term.keys("q", "y")
	term.await("2 requests, 1 errors", "reloads, 1 failed")
	term.prompt()
	l.nothingLeft()
}

func TestScreenShowsAModelGoToZeroAndComeBack(t *testing.T) {
	l := copyOfSample(t, "iris-http-go")
	l.edit("merlin-local.yaml", "min_replica: 1", "min_replica: 0")
	l.edit("merlin-local.yaml", "project: sample", "project: sample\nplatform: { scale_to_zero_pod_retention: 0 }")
	term := newTmux(l, 80, 24)
	term.shell("merlin-local up --runtime process --port 0 --time-scale 100")
	term.await("iris-1 IDLE", "the next request starts it")
	l.must("predict")
	term.await("cold start", "create", "process", "answer")
	term.await("iris-1 IDLE", "cold start", "replicas 0/0")
	term.keys("q", "y")
	term.await("iris-1  revision 1  1 request, 0 errors")
	term.prompt()
	l.nothingLeft()
}

// colours are escape sequences that set one: SGR 30 to 37, 38, 40 to 48, 90 to 107.
var colours = regexp.MustCompile(`\x1b\[([0-9;]*;)?(3[0-8]|4[0-8]|9[0-7]|10[0-7])(;[0-9;]*)?m`)

func TestScreenOfSeveralModelsWithoutColours(t *testing.T) {
	l := newLab(t, "", map[string]string{"merlin-local.yaml": `project: sample
models:
  - { model: iris, model_dir: iris/model, exec: cd iris && go build -buildvcs=false -o bin/local . && exec bin/local }
  - { model: eta, protocol: UPI_V1, model_dir: eta/model, exec: cd eta && go build -buildvcs=false -o bin/local . && exec bin/local }
`, ".gitignore": "bin/\n"})
	for folder, name := range map[string]string{"iris": "iris-http-go", "eta": "eta-upi-go"} {
		check(t, os.CopyFS(filepath.Join(l.repo, folder), os.DirFS(filepath.Join("..", "..", "sample-models", name))))
	}
	term := newTmux(l, 80, 24)
	term.shell("NO_COLOR=1 merlin-local up --runtime process --port 0")
	term.await("● iris-1 READY", "● eta-1", "http://iris-1.sample.localhost:")
	term.keys("]")
	term.await("● eta-1 READY", "UPI_V1", "eta-1.sample.localhost:")
	term.keys("]")
	term.await("● iris-1 READY")
	term.resize(120, 40)
	term.await("›● iris-1")
	l.must("predict", "iris", "-d", "@iris/request.json")
	term.await("· 200  …els/iris-1:predict")
	term.keys("[")
	term.without("›● eta-1", "els/iris-1:predict")
	if drawn := term.must("capture-pane", "-p", "-e"); colours.MatchString(drawn) {
		t.Errorf("with NO_COLOR the screen has colours: %q", colours.FindString(drawn))
	}
	term.keys("q", "y")
	term.await("iris-1  revision 1  1 request, 0 errors", "eta-1  revision 1  no requests")
	term.prompt()
	l.nothingLeft()
}
