package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"

	"example.com/iris-http-go/iris"
)

// server answers what Merlin asks of an HTTP_JSON custom model. All methods are
// safe for concurrent use.
type server struct {
	path    string // /v1/models/{full name}
	model   atomic.Pointer[iris.Model]
	metrics *metrics
}

// newServer returns a server without a model: alive, but not ready.
func newServer(fullName string) *server {
	return &server{path: "/v1/models/" + fullName, metrics: newMetrics()}
}

// use makes the server ready.
func (s *server) use(m *iris.Model) { s.model.Store(m) }

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(s.path+":predict", s.metrics.observe(only(http.MethodPost, s.predict)))
	mux.Handle(s.path, only(http.MethodGet, s.health))
	mux.Handle("/{$}", only(http.MethodGet, s.alive))
	mux.Handle("/metrics", s.metrics.handler())
	mux.HandleFunc("/", s.notFound)
	return mux
}

// alive is the liveness: that the process answers, with or without a model.
func (s *server) alive(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "alive"})
}

// health is the readiness: that the model is loaded.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	if s.model.Load() == nil {
		refuse(w, http.StatusServiceUnavailable, "the model is not loaded yet")
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

func (s *server) predict(w http.ResponseWriter, r *http.Request) {
	model := s.model.Load()
	if model == nil {
		refuse(w, http.StatusServiceUnavailable, "the model is not loaded yet")
		return
	}
	flowers, err := decode(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, statusOf(err), err.Error())
		return
	}
	out := response{Predictions: make([]prediction, len(flowers))}
	for i, f := range flowers {
		out.Predictions[i] = predictionOf(model, f)
		s.metrics.predicted(out.Predictions[i].Species)
	}
	answer(w, http.StatusOK, out)
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, fmt.Sprintf("nothing is at %s; predictions are at POST %s:predict", r.URL.Path, s.path))
}

func only(method string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			refuse(w, http.StatusMethodNotAllowed, fmt.Sprintf("%s takes %s, not %s", r.URL.Path, method, r.Method))
			return
		}
		h(w, r)
	}
}

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only where the client has left
}
