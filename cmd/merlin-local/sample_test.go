//go:build unix

package main

import (
	"encoding/json"
	"math"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// sample is a lab in the folder of a sample model.
func sample(t testing.TB, name string) *lab {
	t.Helper()
	repo, err := filepath.Abs(filepath.Join("..", "..", "sample-models", name))
	check(t, err)
	return newLab(t, repo, nil)
}

// predictExample sends the sample's own request and reads the answer.
func (l *lab) predictExample(answer any) {
	l.t.Helper()
	check(l.t, json.Unmarshal([]byte(l.must("predict")), answer))
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-3 { // the last digits depend on the CPU
		t.Errorf("%s: %v, wanted %v", what, got, want)
	}
}

// checkIris compares the iris sample's answer to its own request.
func checkIris(t *testing.T, l *lab) {
	t.Helper()
	var answer struct {
		Predictions []struct {
			Species       string
			Probabilities map[string]float64
		}
	}
	l.predictExample(&answer)
	var species []string
	for _, p := range answer.Predictions {
		species = append(species, p.Species)
	}
	same(t, "species", species, []string{"setosa", "versicolor", "virginica"})
	near(t, "setosa", answer.Predictions[0].Probabilities["setosa"], 0.9970222791)
	contains(t, l.get("/metrics"), `iris_requests_total{code="200"} 1`, `iris_predictions_total{species="setosa"} 1`)
}

func TestSampleIrisTellsTheSpecies(t *testing.T) {
	l := sample(t, "iris-http-go")
	out := l.up()
	contains(t, out, "go build", "built in", "ready in")
	checkIris(t, l)
	pasteLine(t, out)
	l.must("down")
	l.nothingLeft()
}

// pasteLine runs the line that `up` printed to be pasted, in a shell.
func pasteLine(t *testing.T, out string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^ +(curl .*)$`).FindStringSubmatch(out)
	if line == nil {
		t.Fatalf("no line to paste in:\n%s", out)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("NOT PROVEN: the line that is printed runs: there is no curl here")
		return
	}
	answer, err := exec.Command("/bin/sh", "-c", line[1]).Output()
	check(t, err)
	contains(t, string(answer), `"species":"setosa"`)
}

func TestSampleIrisServesWithoutDocker(t *testing.T) {
	l := sample(t, "iris-http-go")
	l.env = append(l.env, "DOCKER_HOST=unix:///nobody/docker.sock")
	contains(t, l.must("up", "-d", "--port", "0"), "NO DOCKER ENGINE ANSWERS", "ready in")
	checkIris(t, l)
	l.must("down")
	l.nothingLeft()
}

// etaMinutes are the answer to the sample's own request, by row.
var etaMinutes = map[string]float64{"noon": 16.091, "rush-hour": 28.116, "rush-hour-rain": 30.849, "saturday": 16.656}

func TestSampleETATellsMinutesOverUPI(t *testing.T) {
	l := sample(t, "eta-upi-go")
	contains(t, l.up(), "grpcurl -plaintext")
	var answer struct {
		PredictionResultTable struct {
			Rows []struct {
				RowID  string
				Values []struct{ DoubleValue float64 }
			}
		}
	}
	l.predictExample(&answer)
	minutes := map[string]float64{}
	for _, row := range answer.PredictionResultTable.Rows {
		minutes[row.RowID] = row.Values[0].DoubleValue
	}
	for row, want := range etaMinutes {
		near(t, row, minutes[row], want)
	}
	contains(t, l.get("/metrics"), `eta_requests_total{`, "eta_predicted_minutes_count 4")
	l.must("down")
	l.nothingLeft()
}

// pythonBase is what sample-models/churn-python/base-image.sh makes.
const pythonBase = "merlin-local/python-base:bookworm"

func skipWithoutPythonBase(t testing.TB, l *lab) {
	t.Helper()
	if err := l.call(http.MethodGet, "/images/"+pythonBase+"/json", nil); err != nil {
		t.Skipf("SKIPPED, SO NOT PROVEN: run sample-models/churn-python/base-image.sh first: %v", err)
	}
}

func TestSampleChurnTellsWhoLeaves(t *testing.T) {
	l := sample(t, "churn-python")
	skipWithoutPythonBase(t, l)
	l.up("--build-arg", "BASE_IMAGE="+pythonBase)
	var answer struct {
		Predictions []struct {
			Churn       bool
			Probability float64
		}
	}
	l.predictExample(&answer)
	if p := answer.Predictions; len(p) != 2 || !p[0].Churn || p[1].Churn {
		t.Fatalf("the predictions are %+v", p)
	}
	near(t, "who leaves", answer.Predictions[0].Probability, 0.9338042332)
	contains(t, l.get("/metrics"), `churn_requests_total{code="200"} 1`, `churn_predictions_total{churn="yes"} 1`)
	l.must("down")
	l.nothingLeft()
}
