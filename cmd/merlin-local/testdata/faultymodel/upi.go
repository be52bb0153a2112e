package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"github.com/soheilhy/cmux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

// upi answers UPI_V1.
type upi struct {
	upiv1.UnimplementedUniversalPredictionServiceServer
	fault string
}

// PredictValues gives the table back.
func (u *upi) PredictValues(ctx context.Context, r *upiv1.PredictValuesRequest) (*upiv1.PredictValuesResponse, error) {
	if u.fault == "no-predict" {
		return u.UnimplementedUniversalPredictionServiceServer.PredictValues(ctx, r)
	}
	rows := r.GetPredictionTable().GetRows()
	if len(rows) == 0 || len(rows[0].GetValues()) != 1 {
		if u.fault == "shape" && len(rows) > 0 {
			return nil, fmt.Errorf("index out of range: %d", len(rows))
		}
		return nil, status.Error(codes.InvalidArgument, "rows of one value each are needed")
	}
	return &upiv1.PredictValuesResponse{PredictionResultTable: r.GetPredictionTable()}, nil
}

// serveUPI answers gRPC and, for the metrics, HTTP/1.1 on the one port until the end.
func serveUPI(ended context.Context, fault string) error {
	port := os.Getenv("CARAML_GRPC_PORT")
	if fault == "own-port" {
		port = "9000"
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	upiv1.RegisterUniversalPredictionServiceServer(server, &upi{fault: fault})
	if fault != "no-health" {
		healthv1.RegisterHealthServer(server, health.NewServer())
	}
	if fault != "no-reflection" {
		reflection.Register(server)
	}
	if fault == "no-metrics" {
		return stopped(ended, server, func() error { return server.Serve(listener) })
	}
	mux := cmux.New(listener)
	calls, pages := mux.Match(cmux.HTTP2()), mux.Match(cmux.Any())
	go func() { _ = server.Serve(calls) }()
	go func() { _ = http.Serve(pages, http.HandlerFunc((&model{}).metrics)) }()
	return stopped(ended, server, mux.Serve)
}

// stopped serves until the end; requests that run may finish, unless that is the fault.
func stopped(ended context.Context, server *grpc.Server, serve func() error) error {
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return err
	case <-ended.Done():
		server.GracefulStop()
		return nil
	}
}
