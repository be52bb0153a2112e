package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// loads is how long a model takes that is served before it is loaded.
const loads = 3 * time.Second

// mostBody is what it reads of a request.
const mostBody = 1 << 20

// model answers HTTP_JSON's four endpoints.
type model struct {
	fault, name string
	begun       time.Time
	running     atomic.Int32
	shared      atomic.Pointer[[]float64] // of the request that came last
}

func (m *model) handler() http.Handler {
	mux := http.NewServeMux()
	path := "/v1/models/" + m.name
	if m.fault == "any-name" {
		path = "/v1/models/{name}" // a wildcard takes the method too
	}
	if m.fault != "no-liveness" {
		mux.HandleFunc("GET /{$}", m.alive)
	}
	if m.fault != "no-metrics" {
		mux.HandleFunc("GET /metrics", m.metrics)
	}
	mux.HandleFunc("GET "+path, m.health)
	switch {
	case m.fault == "any-name":
		mux.HandleFunc("POST "+path, m.predict)
	case m.fault != "no-predict":
		mux.HandleFunc("POST "+path+":predict", m.predict)
	}
	return mux
}

func (m *model) alive(w http.ResponseWriter, _ *http.Request) {
	if m.fault == "costly-liveness" {
		for end := time.Now().Add(150 * time.Millisecond); time.Now().Before(end); {
			_ = strings.Repeat("x", 1<<10)
		}
	}
	fmt.Fprintln(w, "alive")
}

func (m *model) health(w http.ResponseWriter, _ *http.Request) {
	switch {
	case m.fault == "no-content":
		w.WriteHeader(http.StatusNoContent)
	case m.fault == "listens-early" && time.Since(m.begun) < loads:
		http.Error(w, "loading", http.StatusServiceUnavailable)
	}
}

func (m *model) metrics(w http.ResponseWriter, _ *http.Request) {
	if m.fault == "metric-names" {
		fmt.Fprintln(w, "# TYPE \"iris-1.predictions\" counter\n{\"iris-1.predictions\"} 1")
		return
	}
	fmt.Fprintln(w, "# TYPE predictions_total counter\npredictions_total 1")
}

func (m *model) predict(w http.ResponseWriter, r *http.Request) {
	if m.fault == "healthy-early" && time.Since(m.begun) < loads {
		http.Error(w, "loading", http.StatusServiceUnavailable)
		return
	}
	if m.fault == "crowd-ends" && m.running.Add(1) > 4 {
		os.Exit(9)
	}
	defer m.running.Add(-1)
	if m.fault == "crowd-ends" {
		time.Sleep(2 * time.Millisecond)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if err != nil {
		if m.fault == "huge" {
			os.Exit(9)
		}
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	instances, status := m.parse(body)
	if status != http.StatusOK {
		http.Error(w, `{"error": "no instances"}`, status)
		return
	}
	m.answer(w, instances)
}

// parse reads a request; what is wrong with it has a status.
func (m *model) parse(body []byte) ([]float64, int) {
	faults := func(fault string) int {
		if m.fault == fault {
			return http.StatusInternalServerError
		}
		return http.StatusBadRequest
	}
	var in struct{ Instances []float64 }
	switch {
	case len(body) == 0:
		return nil, faults("empty")
	case !json.Valid(body):
		return nil, faults("malformed")
	case json.Unmarshal(body, &in) != nil || in.Instances == nil:
		if m.fault == "takes-anything" {
			return []float64{}, http.StatusOK
		}
		return nil, faults("shape")
	case m.fault == "predict-ends":
		os.Exit(9)
	case m.fault == "refuses":
		return nil, http.StatusUnprocessableEntity
	}
	return in.Instances, http.StatusOK
}

func (m *model) answer(w http.ResponseWriter, instances []float64) {
	if m.fault == "shares" { // what came last is what everybody gets
		m.shared.Store(&instances)
		time.Sleep(2 * time.Millisecond)
		instances = *m.shared.Load()
	}
	for i := range instances {
		instances[i] *= 2
	}
	if m.fault == "no-json" {
		fmt.Fprint(w, "twice: ", instances)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"predictions": instances})
}
