package main

import (
	"context"
	"fmt"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// grpcHost is the :authority of a UPI model's version endpoint.
const grpcHost = "eta-1.bench.localhost"

// predictTable is a small one: three numbers in one row.
var predictTable = &upiv1.PredictValuesRequest{
	TargetName: "score",
	PredictionTable: &upiv1.Table{
		Name: "trips",
		Columns: []*upiv1.Column{
			{Name: "distance", Type: upiv1.Type_TYPE_DOUBLE},
			{Name: "hour", Type: upiv1.Type_TYPE_DOUBLE},
			{Name: "weekday", Type: upiv1.Type_TYPE_DOUBLE},
		},
		Rows: []*upiv1.Row{{RowId: "1", Values: []*upiv1.Value{{DoubleValue: 4.2}, {DoubleValue: 8}, {DoubleValue: 2}}}},
	},
}

// openGRPC predicts over connections, each with so many calls at a time.
func openGRPC(connections, streams int) opener {
	return func(ctx context.Context, s *subject) ([]caller, func(), error) {
		var conns []*grpc.ClientConn
		done := func() {
			for _, c := range conns {
				_ = c.Close()
			}
		}
		var callers []caller
		for range connections {
			c, err := grpc.NewClient("passthrough:///"+s.grpc,
				grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(grpcHost))
			if err != nil {
				done()
				return nil, nil, err
			}
			conns = append(conns, c)
			client := upiv1.NewUniversalPredictionServiceClient(c)
			for range streams {
				callers = append(callers, func() (time.Duration, error) { return predictValues(ctx, client) })
			}
		}
		return callers, done, nil
	}
}

func predictValues(ctx context.Context, client upiv1.UniversalPredictionServiceClient) (time.Duration, error) {
	began := time.Now()
	out, err := client.PredictValues(ctx, predictTable)
	if err == nil && len(out.GetPredictionResultTable().GetRows()) != 1 {
		err = fmt.Errorf("answered %d rows, not 1", len(out.GetPredictionResultTable().GetRows()))
	}
	return time.Since(began), err
}
