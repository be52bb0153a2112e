package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// model answers the contract's four endpoints and UPI on one port.
type model struct {
	upiv1.UnimplementedUniversalPredictionServiceServer
	behaviour
	name, port, artifact string
	predictions          atomic.Int64
	words                []byte // nil where the model says nothing of its own
	routes               *http.ServeMux
	grpc                 *grpc.Server
}

func newModel(b behaviour) *model {
	m := &model{behaviour: b, routes: http.NewServeMux(), grpc: grpc.NewServer()}
	m.name, m.port, m.artifact = variables(b.oldNames)
	if b.says != "" {
		m.words, _ = os.ReadFile(b.says) // none is no JSON
	}
	upiv1.RegisterUniversalPredictionServiceServer(m.grpc, m)
	healthv1.RegisterHealthServer(m.grpc, health.NewServer())
	m.routes.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	m.routes.HandleFunc("GET /v1/models/"+m.name, m.ready)
	m.routes.HandleFunc("POST /v1/models/"+m.name+":predict", m.predict)
	m.routes.HandleFunc("GET /metrics", m.metrics)
	m.routes.HandleFunc("GET /self", m.self)
	m.routes.HandleFunc("POST /crash", func(http.ResponseWriter, *http.Request) { os.Exit(9) })
	return m
}

func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		m.grpc.ServeHTTP(w, r)
		return
	}
	m.routes.ServeHTTP(w, r)
}

func (m *model) ready(w http.ResponseWriter, _ *http.Request) {
	if _, err := os.Stat(m.gate); m.gate != "" && err != nil {
		http.Error(w, "still loading", http.StatusServiceUnavailable)
	}
}

// predict says who answered, and what was asked; no JSON is an error of the client's.
func (m *model) predict(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil && m.lenient && !json.Valid(body) {
		body = []byte("null")
	}
	if err != nil || !json.Valid(body) {
		http.Error(w, `{"error": "no JSON"}`, http.StatusBadRequest)
		return
	}
	fmt.Println("predicting")
	await(m.predictGate)
	m.predictions.Add(1)
	m.pushes(false)
	answer := map[string]any{"model": m.name, "host": r.Host, "got": json.RawMessage(body)}
	if m.says != "" && !json.Valid(m.words) {
		http.Error(w, `{"error": "the handler is broken"}`, http.StatusInternalServerError)
		return
	}
	if m.says != "" {
		answer["says"] = json.RawMessage(m.words)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// PredictValues gives the table back.
func (m *model) PredictValues(_ context.Context, r *upiv1.PredictValuesRequest) (*upiv1.PredictValuesResponse, error) {
	m.predictions.Add(1)
	return &upiv1.PredictValuesResponse{TargetName: r.TargetName, PredictionResultTable: r.PredictionTable}, nil
}

func (m *model) metrics(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "# TYPE predictions_total counter\npredictions_total %d\n", m.predictions.Load())
}

// self is what the process sees of its place.
func (m *model) self(w http.ResponseWriter, _ *http.Request) {
	host, _ := os.Hostname()
	_, stdin := os.Stdin.Read(make([]byte, 1))
	write := os.WriteFile(filepath.Join(m.artifact, "written"), nil, 0o644)
	files := map[string]string{}
	entries, _ := os.ReadDir(m.artifact)
	for _, e := range entries {
		content, _ := os.ReadFile(filepath.Join(m.artifact, e.Name()))
		files[e.Name()] = string(content)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"args": os.Args[1:], "env": os.Environ(), "hostname": host, "files": files,
		"stdin_closed": errors.Is(stdin, io.EOF), "artifact_writable": write == nil,
	})
}
