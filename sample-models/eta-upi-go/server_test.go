package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"example.com/eta-upi-go/eta"
)

// running is a server on a port of its own, and a client of it.
type running struct {
	address string
	conn    *grpc.ClientConn
	stop    func()
	ended   chan error
}

func start(t *testing.T, srv *server) running {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := running{address: ln.Addr().String(), stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- srv.serve(ctx, ln); close(r.ended) }()
	if r.conn, err = grpc.NewClient(r.address, grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.conn.Close()
		stop()
		<-r.ended
	})
	return r
}

func withModel(t *testing.T) *server {
	t.Helper()
	model, err := eta.Load("model/eta.json")
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer("eta", "7")
	srv.use(model)
	return srv
}

func request(t *testing.T) *upiv1.PredictValuesRequest {
	t.Helper()
	data, err := os.ReadFile("request.json")
	if err != nil {
		t.Fatal(err)
	}
	in := new(upiv1.PredictValuesRequest)
	if err := protojson.Unmarshal(data, in); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestTheSampleRequestGetsARowForEveryRow(t *testing.T) {
	r := start(t, withModel(t))
	in := request(t)
	out, err := upiv1.NewUniversalPredictionServiceClient(r.conn).PredictValues(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	table := out.GetPredictionResultTable()
	if len(table.GetColumns()) != 1 || table.GetColumns()[0].GetName() != "eta_minutes" {
		t.Fatalf("columns %v", table.GetColumns())
	}
	minutes := map[string]float64{}
	for i, row := range table.GetRows() {
		if row.GetRowId() != in.GetPredictionTable().GetRows()[i].GetRowId() {
			t.Errorf("row %d is %q", i, row.GetRowId())
		}
		minutes[row.GetRowId()] = row.GetValues()[0].GetDoubleValue()
	}
	if len(minutes) != 4 || minutes["noon"] < 10 || minutes["noon"] > 20 ||
		minutes["rush-hour"] < 1.3*minutes["noon"] || minutes["rush-hour-rain"] < minutes["rush-hour"] ||
		minutes["saturday"] > 0.8*minutes["rush-hour"] {
		t.Errorf("minutes: %v", minutes)
	}
	want := &upiv1.ResponseMetadata{PredictionId: "sample-1", Models: []*upiv1.ModelMetadata{{Name: "eta", Version: "7"}}}
	if !proto.Equal(out.GetMetadata(), want) || out.GetTargetName() != "eta_minutes" {
		t.Errorf("metadata %v, target %q", out.GetMetadata(), out.GetTargetName())
	}
}

func TestColumnsMayStandInAnyOrderAndBesideOthers(t *testing.T) {
	srv := withModel(t)
	in := request(t)
	want, err := srv.PredictValues(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	table := in.GetPredictionTable()
	table.Columns = append([]*upiv1.Column{{Name: "city", Type: upiv1.Type_TYPE_STRING}, table.Columns[3]}, table.Columns[:3]...)
	for _, row := range table.GetRows() {
		row.Values = append([]*upiv1.Value{{IsNull: true}, row.Values[3]}, row.Values[:3]...)
	}
	got, err := srv.PredictValues(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(want, got) {
		t.Errorf("%v, not %v", got, want)
	}
}

func TestAWrongTableIsRefusedWithWhatToMend(t *testing.T) {
	srv := withModel(t)
	for name, tc := range map[string]struct {
		spoil func(*upiv1.Table)
		says  string
	}{
		"no rows":       {func(t *upiv1.Table) { t.Rows = nil }, "has no rows"},
		"no row id":     {func(t *upiv1.Table) { t.Rows[1].RowId = "" }, "row 1 has no row_id"},
		"same row id":   {func(t *upiv1.Table) { t.Rows[2].RowId = "noon" }, `rows 0 and 2 have the same row_id "noon"`},
		"short row":     {func(t *upiv1.Table) { t.Rows[0].Values = t.Rows[0].Values[:3] }, `row "noon" has 3 values for 4 columns`},
		"no column":     {func(t *upiv1.Table) { t.Columns[0].Name = "distance" }, `no column "distance_km"; it needs distance_km (TYPE_DOUBLE), hour_of_day`},
		"two columns":   {func(t *upiv1.Table) { t.Columns[0].Name = "weather" }, `two columns "weather"`},
		"other type":    {func(t *upiv1.Table) { t.Columns[0].Type = upiv1.Type_TYPE_STRING }, `"distance_km" is TYPE_STRING; it must be TYPE_DOUBLE`},
		"null":          {func(t *upiv1.Table) { t.Rows[0].Values[1].IsNull = true }, `row "noon": hour_of_day is null`},
		"no distance":   {func(t *upiv1.Table) { t.Rows[0].Values[0].DoubleValue = 0 }, "distance_km: it is 0;"},
		"hour 24":       {func(t *upiv1.Table) { t.Rows[0].Values[1].IntegerValue = 24 }, "hour_of_day: it is 24; it must be from 0 to 23"},
		"weekend 2":     {func(t *upiv1.Table) { t.Rows[0].Values[2].IntegerValue = 2 }, "is_weekend: it is 2; it must be from 0 to 1"},
		"other weather": {func(t *upiv1.Table) { t.Rows[0].Values[3].StringValue = "hail" }, `it is "hail"; it must be one of clear, rain, storm`},
	} {
		t.Run(name, func(t *testing.T) {
			in := request(t)
			tc.spoil(in.GetPredictionTable())
			_, err := srv.PredictValues(t.Context(), in)
			if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := srv.PredictValues(t.Context(), &upiv1.PredictValuesRequest{}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("without a table: %v", err)
	}
}

func TestAMessageThatIsTooLargeIsRefused(t *testing.T) {
	r := start(t, withModel(t))
	in := &upiv1.PredictValuesRequest{TargetName: strings.Repeat("x", maxMessage)}
	_, err := upiv1.NewUniversalPredictionServiceClient(r.conn).PredictValues(t.Context(), in)
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("%v", err)
	}
}

func TestHealthFollowsTheModel(t *testing.T) {
	srv := newServer("eta", "7")
	r := start(t, srv)
	check := func(want healthv1.HealthCheckResponse_ServingStatus) {
		t.Helper()
		for _, service := range []string{"", "caraml.upi.v1.UniversalPredictionService"} {
			out, err := healthv1.NewHealthClient(r.conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
			if err != nil || out.GetStatus() != want {
				t.Errorf("%q: %v %v", service, out, err)
			}
		}
	}
	check(healthv1.HealthCheckResponse_NOT_SERVING)
	_, err := upiv1.NewUniversalPredictionServiceClient(r.conn).PredictValues(t.Context(), request(t))
	if status.Code(err) != codes.Unavailable {
		t.Errorf("without a model: %v", err)
	}
	srv.use(withModel(t).model.Load())
	check(healthv1.HealthCheckResponse_SERVING)
}

func TestGRPCAndMetricsShareThePort(t *testing.T) {
	r := start(t, withModel(t))
	if _, err := upiv1.NewUniversalPredictionServiceClient(r.conn).PredictValues(t.Context(), request(t)); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get("http://" + r.address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`eta_requests_total{code="OK",method="/caraml.upi.v1.UniversalPredictionService/PredictValues"} 1`,
		"eta_predicted_minutes_count 4",
		"process_resident_memory_bytes",
	} {
		if !strings.Contains(string(body), line) {
			t.Errorf("no %q in /metrics", line)
		}
	}
}

func TestReflectionNamesTheService(t *testing.T) {
	r := start(t, withModel(t))
	stream, err := reflectionv1.NewServerReflectionClient(r.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	out, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "caraml.upi.v1.UniversalPredictionService") {
		t.Errorf("%v", out)
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
}

func TestAStopEndsTheServerThoughAClientIsSilent(t *testing.T) {
	r := start(t, withModel(t))
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r.conn.Connect()
	r.stop()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(drainTime):
		t.Error("it still runs")
	}
}

// slow is a model server whose requests take until they are released.
type slow struct {
	upiv1.UnimplementedUniversalPredictionServiceServer
	started, release chan struct{}
}

func (s *slow) PredictValues(context.Context, *upiv1.PredictValuesRequest) (*upiv1.PredictValuesResponse, error) {
	close(s.started)
	<-s.release
	return &upiv1.PredictValuesResponse{TargetName: "late"}, nil
}

func TestARequestUnderWayIsAnsweredAfterTheStop(t *testing.T) {
	model := &slow{started: make(chan struct{}), release: make(chan struct{})}
	grpcServer := grpc.NewServer()
	upiv1.RegisterUniversalPredictionServiceServer(grpcServer, model)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- grpcServer.Serve(ln) }()
	conn, err := grpc.NewClient(ln.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	answered := make(chan error, 1)
	go func() {
		out, err := upiv1.NewUniversalPredictionServiceClient(conn).PredictValues(context.Background(), &upiv1.PredictValuesRequest{})
		if err == nil && out.GetTargetName() != "late" {
			t.Errorf("it got %v", out)
		}
		answered <- err
	}()
	<-model.started
	drained := make(chan error, 1)
	go func() { drained <- drain(grpcServer, &http.Server{}) }()
	conn.WaitForStateChange(t.Context(), connectivity.Ready) // the server has said goodbye
	close(model.release)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestAMissingVariableIsNamed(t *testing.T) {
	_, err := configFrom(func(name string) string {
		return map[string]string{"CARAML_GRPC_PORT": "9000"}[name]
	})
	if err == nil || strings.Contains(err.Error(), "CARAML_GRPC_PORT") ||
		!strings.Contains(err.Error(), "CARAML_ARTIFACT_LOCATION is not set") {
		t.Errorf("%v", err)
	}
}

func TestABrokenArtifactIsRefused(t *testing.T) {
	file := t.TempDir() + "/eta.json"
	for name, data := range map[string]string{
		"cut":         `{"trees": [[{"minutes":`,
		"no trees":    `{"base": 3}`,
		"empty tree":  `{"trees": [[]]}`,
		"endless":     `{"trees": [[{"left": 1, "right": 1}, {"left": 1, "right": 1}]]}`,
		"far away":    `{"trees": [[{"left": 1, "right": 9}, {"minutes": 1}]]}`,
		"one branch":  `{"trees": [[{"right": 1}, {"minutes": 1}]]}`,
		"odd feature": `{"trees": [[{"feature": 9, "left": 1, "right": 2}, {}, {}]]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := eta.Load(file); err == nil {
				t.Error("it was loaded")
			}
		})
	}
}
