package main

import (
	"context"
	"sync/atomic"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"example.com/eta-upi-go/eta"
)

// maxMessage is some ten thousand trips.
const maxMessage = 1 << 20

// server answers what Merlin asks of a UPI_V1 custom model. All methods are safe
// for concurrent use.
type server struct {
	upiv1.UnimplementedUniversalPredictionServiceServer
	self    *upiv1.ModelMetadata
	model   atomic.Pointer[eta.Model]
	health  *health.Server
	metrics *metrics
}

// newServer returns a server without a model: it is not yet serving, and says so.
func newServer(name, version string) *server {
	s := &server{
		self:    &upiv1.ModelMetadata{Name: name, Version: version},
		health:  health.NewServer(),
		metrics: newMetrics(),
	}
	s.setHealth(healthv1.HealthCheckResponse_NOT_SERVING)
	return s
}

// use makes the server ready.
func (s *server) use(m *eta.Model) {
	s.model.Store(m)
	s.setHealth(healthv1.HealthCheckResponse_SERVING)
}

// setHealth sets it for the process and for the service: probes ask for either.
func (s *server) setHealth(status healthv1.HealthCheckResponse_ServingStatus) {
	s.health.SetServingStatus("", status)
	s.health.SetServingStatus(upiv1.UniversalPredictionService_ServiceDesc.ServiceName, status)
}

func (s *server) grpcServer() *grpc.Server {
	srv := grpc.NewServer(
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.ChainUnaryInterceptor(s.metrics.observe),
	)
	upiv1.RegisterUniversalPredictionServiceServer(srv, s)
	healthv1.RegisterHealthServer(srv, s.health)
	reflection.Register(srv)
	return srv
}

// PredictValues answers one row for each row of the prediction table, in its order.
func (s *server) PredictValues(_ context.Context, in *upiv1.PredictValuesRequest) (*upiv1.PredictValuesResponse, error) {
	model := s.model.Load()
	if model == nil {
		return nil, status.Error(codes.Unavailable, "the model is not loaded yet")
	}
	trips, err := trips(in.GetPredictionTable())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	result := &upiv1.Table{
		Name:    "prediction_result_table",
		Columns: []*upiv1.Column{{Name: "eta_minutes", Type: upiv1.Type_TYPE_DOUBLE}},
	}
	for i, trip := range trips {
		minutes := model.Minutes(trip)
		s.metrics.minutes.Observe(minutes)
		result.Rows = append(result.Rows, &upiv1.Row{
			RowId:  in.GetPredictionTable().GetRows()[i].GetRowId(),
			Values: []*upiv1.Value{{DoubleValue: minutes}},
		})
	}
	return &upiv1.PredictValuesResponse{
		PredictionResultTable: result,
		TargetName:            in.GetTargetName(),
		PredictionContext:     in.GetPredictionContext(),
		Metadata: &upiv1.ResponseMetadata{
			PredictionId: in.GetMetadata().GetPredictionId(),
			Models:       []*upiv1.ModelMetadata{s.self},
		},
	}, nil
}
