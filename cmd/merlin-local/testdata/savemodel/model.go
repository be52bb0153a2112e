package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// model answers predictions of both protocols with its save, and talks on streams.
type model struct {
	upiv1.UnimplementedUniversalPredictionServiceServer
	save   int
	ended  context.Context
	routes *http.ServeMux
	grpc   *grpc.Server
}

func newModel(save int, ended context.Context) *model {
	m := &model{save: save, ended: ended, routes: http.NewServeMux()}
	m.grpc = grpc.NewServer(grpc.UnknownServiceHandler(m.talk))
	upiv1.RegisterUniversalPredictionServiceServer(m.grpc, m)
	healthv1.RegisterHealthServer(m.grpc, health.NewServer())
	path := "/v1/models/" + os.Getenv("CARAML_MODEL_FULL_NAME")
	alive := func(http.ResponseWriter, *http.Request) {}
	m.routes.HandleFunc("GET /{$}", alive)
	m.routes.HandleFunc("GET "+path, alive)
	m.routes.HandleFunc("POST "+path+":predict", m.predict)
	return m
}

func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		m.grpc.ServeHTTP(w, r)
		return
	}
	m.routes.ServeHTTP(w, r)
}

// predict works for as many milliseconds as the body says.
func (m *model) predict(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	work(r.Context(), string(body))
	fmt.Fprint(w, m.save)
}

// PredictValues works for as many milliseconds as the target's name says.
func (m *model) PredictValues(ctx context.Context, r *upiv1.PredictValuesRequest) (*upiv1.PredictValuesResponse, error) {
	work(ctx, r.TargetName)
	version := strconv.Itoa(m.save)
	return &upiv1.PredictValuesResponse{Metadata: &upiv1.ResponseMetadata{Models: []*upiv1.ModelMetadata{{Version: version}}}}, nil
}

// talk is any streaming method: it answers every message with the save, until the client
// has said all, or the model ends. What it has received by then is answered.
func (m *model) talk(_ any, stream grpc.ServerStream) error {
	asked := make(chan error)
	over := make(chan struct{})
	defer close(over)
	go func() {
		for {
			err := stream.RecvMsg(&wrapperspb.Int64Value{})
			select {
			case asked <- err:
			case <-over:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for {
		select {
		case err := <-asked:
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := stream.SendMsg(wrapperspb.Int64(int64(m.save))); err != nil {
				return err
			}
		case <-m.ended.Done():
			return nil
		}
	}
}
