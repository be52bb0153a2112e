package check

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/scrape"
)

// overUPI asks a UPI_V1 model.
type overUPI struct {
	at      netip.AddrPort
	conn    *grpc.ClientConn
	timeout time.Duration // of a prediction
}

func newUPI(at netip.AddrPort, timeout time.Duration) (*overUPI, error) {
	conn, err := dialUPI(at)
	if err != nil {
		return nil, err
	}
	return &overUPI{at, conn, timeout}, nil
}

func dialUPI(at netip.AddrPort) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+at.String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(mostTable)))
}

// mostTable is how large an answer may be, in bytes.
const mostTable = 64 << 20

func (u *overUPI) close() { _ = u.conn.Close() }

// predictMethod is the one that predicts.
const predictMethod = "/caraml.upi.v1.UniversalPredictionService/PredictValues"

// parseUPI reads a request in its JSON form.
func parseUPI(request []byte) (*upiv1.PredictValuesRequest, error) {
	message := &upiv1.PredictValuesRequest{}
	return message, protojson.Unmarshal(request, message)
}

func (u *overUPI) predict(ctx context.Context, request []byte) Answer {
	message, err := parseUPI(request)
	if err != nil {
		return Answer{Reply: Silence, Error: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	begun := time.Now()
	answer, err := upiv1.NewUniversalPredictionServiceClient(u.conn).PredictValues(ctx, message)
	return upiAnswer(begun, answer, err)
}

// upiAnswer is an answer of UPI: of a good one its table, since the rest may be of the
// moment.
func upiAnswer(begun time.Time, answer *upiv1.PredictValuesResponse, err error) Answer {
	if err != nil {
		return grpcAnswer(begun, err)
	}
	table, err := protojson.Marshal(answer.GetPredictionResultTable())
	if err != nil {
		return Answer{Reply: Other, Status: err.Error(), Took: time.Since(begun)}
	}
	return Answer{Reply: Accepted, Status: codes.OK.String(), Body: table, JSON: true, Took: time.Since(begun)}
}

// grpcAnswer is the answer of a call that came to this error, or to none.
func grpcAnswer(begun time.Time, err error) Answer {
	s := status.Convert(err)
	a := Answer{Reply: grpcReply(s.Code()), Status: s.Code().String(), Body: []byte(s.Message()), Took: time.Since(begun)}
	if a.Reply == Silence {
		a.Error = s.Message()
		if s.Code() == codes.DeadlineExceeded {
			a.Error = "no answer within " + milli(a.Took)
		}
	}
	return a
}

func grpcReply(code codes.Code) Reply {
	switch code {
	case codes.OK:
		return Accepted
	case codes.Unimplemented:
		return Absent
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return Silence
	case codes.Unknown, codes.Internal, codes.DataLoss:
		return Fault
	}
	return Refused
}

func (u *overUPI) alive(ctx context.Context) Answer {
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	begun := time.Now()
	_, err := grpc_health_v1.NewHealthClient(u.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return grpcAnswer(begun, err)
}

func (u *overUPI) contract(ctx context.Context, s *Subject, predicted *Answer) *Contract {
	c := &Contract{Metrics: scrape.Scraper{Timeout: scrapeLimit}.Scrape(ctx, u.at)}
	if predicted == nil {
		answer := u.predict(ctx, s.question())
		predicted = &answer
	}
	c.Predict = *predicted
	health, err := grpc_health_v1.NewHealthClient(u.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err == nil {
		c.HealthService = health.Status.String()
	} else if status.Code(err) != codes.Unimplemented {
		c.HealthService = status.Convert(err).Message()
	}
	if c.Reflection, err = u.reflection(ctx); err != nil {
		c.ReflectionError = status.Code(err).String()
	}
	return c
}

// reflection lists the server's services.
func (u *overUPI) reflection(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	stream, err := reflectionv1.NewServerReflectionClient(u.conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	ask := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(ask); err != nil && !errors.Is(err, io.EOF) { // Recv tells why
		return nil, err
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.Name)
	}
	slices.Sort(names)
	return names, nil
}

// bytesCodec sends bytes as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = slices.Clone(data)
	return nil
}
func (bytesCodec) Name() string { return "proto" }

func (u *overUPI) nonsense(ctx context.Context, n nonsense) Answer {
	conn, err := dialUPI(u.at)
	if err != nil {
		return Answer{Reply: Silence, Error: err.Error()}
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	begun := time.Now()
	message, err := io.ReadAll(n.reader())
	if err != nil {
		return noAnswer(begun, call, ctx, err)
	}
	var answer []byte
	return grpcAnswer(begun, conn.Invoke(ctx, predictMethod, &message, &answer, grpc.ForceCodec(bytesCodec{})))
}

// begin opens the call without its message. What is asked later on the same connection
// is answered only once the server knows of it.
func (u *overUPI) begin(ctx context.Context, request []byte) (func(context.Context) Answer, error) {
	message, err := parseUPI(request)
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithTimeout(context.WithoutCancel(ctx), u.timeout+call)
	stream, err := u.conn.NewStream(running, &grpc.StreamDesc{ClientStreams: true}, predictMethod)
	if err != nil {
		cancel()
		return nil, err
	}
	if a := u.alive(ctx); a.Reply == Silence {
		cancel()
		return nil, errors.New(a.Error)
	}
	return func(context.Context) Answer {
		defer cancel()
		begun := time.Now()
		answer := &upiv1.PredictValuesResponse{}
		_ = stream.SendMsg(message) // RecvMsg tells what went wrong
		_ = stream.CloseSend()
		return upiAnswer(begun, answer, stream.RecvMsg(answer))
	}, nil
}

// tableOf is a PredictValuesRequest in its binary form.
func tableOf(request *upiv1.PredictValuesRequest) []byte {
	message, err := proto.Marshal(request)
	if err != nil { // of text that is valid
		return nil
	}
	return message
}
