package probe

import (
	"context"
	"net/netip"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// GRPC asks the standard health service about the whole server and wants SERVING. A
// server without that service counts as ready once it answers at all, as Knative's
// TCP probe would have it; the outcome says so.
func (p Prober) GRPC(ctx context.Context, address netip.AddrPort) Result {
	r := Result{Kind: "grpc", Target: "grpc.health.v1.Health/Check"}
	// A client that fails to connect waits before it tries again, so a closed port
	// is better asked by itself first.
	if tcp := p.TCP(ctx, address); !tcp.OK {
		r.Outcome = tcp.Outcome
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	client, err := grpc.NewClient("passthrough:///"+address.String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		r.Outcome = err.Error()
		return r
	}
	defer client.Close()
	answer, err := grpc_health_v1.NewHealthClient(client).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	switch code := status.Code(err); {
	case err == nil:
		r.Outcome = answer.Status.String()
		r.OK = answer.Status == grpc_health_v1.HealthCheckResponse_SERVING
	case code == codes.Unimplemented:
		r.OK, r.Kind, r.Outcome = true, "tcp", "connected; no gRPC health service"
	case code == codes.DeadlineExceeded:
		r.Outcome = "no answer within " + p.Timeout.String()
	default:
		r.Outcome = status.Convert(err).Message()
	}
	return r
}
