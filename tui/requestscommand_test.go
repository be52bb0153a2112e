package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// heard is a request as a server got it.
type heard struct {
	method, uri, host string
	header            http.Header
	body              []byte
}

// bySending runs a command in a shell and returns what a server at the address in it got.
func bySending(t *testing.T, command func(address string) string) heard {
	t.Helper()
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("NOT TESTED: commands are run with %s, which is not here", program)
		}
	}
	got := make(chan heard, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- heard{r.Method, r.RequestURI, r.Host, r.Header, body}
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	text := command(strings.TrimPrefix(server.URL, "http://"))
	if out, err := exec.CommandContext(ctx, "sh", "-c", text).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", text, err, out)
	}
	select {
	case h := <-got:
		return h
	case <-time.After(testPatience):
		t.Fatalf("nothing came of %s", text)
	}
	panic("unreachable")
}

func TestCurlSendsWhatTheClientSent(t *testing.T) {
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	for name, c := range map[string]struct {
		method, path, query string
		header              []event.Field
		body                string
	}{
		"json":   {"POST", "/v1/models/iris-1:predict", "?a=1&b=$HOME", []event.Field{{Name: "Content-Type", Value: "application/json"}, {Name: "User-Agent", Value: "it's a client/1"}, {Name: "Accept", Value: "*/*"}}, "{\"a\": \"it's `x` $(y) %s \\n\",\n\t\"ü\": 1}"},
		"get":    {"GET", "/v1/models/iris-1", "", []event.Field{{Name: "X-Empty", Value: ""}, {Name: "X-Twice", Value: "1"}, {Name: "X-Twice", Value: "2"}}, ""},
		"globs":  {"DELETE", "/a/../b/[1-3]/{x,y}", "?q=[]", nil, ""},
		"binary": {"PUT", "/", "", []event.Field{{Name: "Content-Encoding", Value: "gzip"}}, string(binary)},
		"at":     {"POST", "/", "", nil, "@/etc/passwd"},
	} {
		t.Run(name, func(t *testing.T) {
			x := event.Exchange{Served: event.Served{Method: c.method, Path: c.path, Host: "iris-1.sample.models.localhost", Proto: "HTTP/1.1"}, Query: c.query}
			x.Request = event.Message{Header: append([]event.Field{{Name: "Host", Value: x.Host}, {Name: "Content-Length", Value: "9"}}, c.header...), Body: []byte(c.body), Size: int64(len(c.body))}
			got := bySending(t, func(address string) string {
				text, err := commandOf(&x, address)
				if err != nil {
					t.Fatal(err)
				}
				return text
			})
			want := http.Header{}
			for _, f := range c.header {
				want.Add(f.Name, f.Value)
			}
			got.header.Del("Content-Length")
			if got.method != c.method || got.uri != c.path+c.query || got.host != x.Host || !bytes.Equal(got.body, x.Request.Body) {
				t.Errorf("the server got %s %s of %s, %q", got.method, got.uri, got.host, got.body)
			}
			if !maps.EqualFunc(got.header, want, func(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }) {
				t.Errorf("the server got the headers %v, want %v", got.header, want)
			}
		})
	}
}

func TestWhatIsNotKeptWholeIsNotCopied(t *testing.T) {
	x := exchangeOfIris(1, irisRequest, "")
	x.Request.Size++
	x.Request.Cut = "only the first 60 of 61 bytes are kept"
	if text, err := commandOf(&x, "127.0.0.1:8080"); err == nil || !strings.Contains(err.Error(), "only the first 60") {
		t.Errorf("it is %q, %v", text, err)
	}
}

// upiExchange is an exchange of a UPI model.
func upiExchange(t *testing.T) event.Exchange {
	ok := 0
	x := event.Exchange{Served: event.Served{ID: 1, Method: "POST", Path: predictValues, Host: "eta-1.sample.localhost", Proto: "HTTP/2.0", Status: 200, GRPCStatus: &ok}}
	request := message("application/grpc", framed(t, &upiv1.PredictValuesRequest{TargetName: "it's", PredictionTable: upiTable(3, 1)}))
	request.Header = append(request.Header, event.Field{Name: "grpc-timeout", Value: "1500m"}, event.Field{Name: "te", Value: "trailers"}, event.Field{Name: "x-country", Value: "id"})
	x.Request = *request
	return x
}

func TestGrpcurlIsGivenTheMethodAndTheMessage(t *testing.T) {
	x := upiExchange(t)
	text, err := commandOf(&x, "127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"grpcurl -plaintext -authority eta-1.sample.localhost -max-time 1.5 -H 'x-country: id' -d '{",
		`"target_name":"it'\''s"`, `"integer_value":"9007199254740993"`,
		"}' 127.0.0.1:8080 caraml.upi.v1.UniversalPredictionService/PredictValues",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nhas no %s", text, want)
		}
	}
	x.Path = "/my.Service/Call"
	if text, err := commandOf(&x, "127.0.0.1:8080"); err == nil || !strings.Contains(err.Error(), "the messages of /my.Service/Call are not known here") {
		t.Errorf("it is %q, %v", text, err)
	}
}

func TestAMessageOfGRPCIsEditedAsJSON(t *testing.T) {
	x := upiExchange(t)
	text, extension, err := editable(&x)
	if err != nil || extension != "json" || !json.Valid(text) {
		t.Fatalf("it is edited as .%s: %s, %v", extension, text, err)
	}
	same, err := edited(&x, text)
	if err != nil || !bytes.Equal(same.Request.Body, x.Request.Body) {
		t.Errorf("unchanged, it became %x, %v", same.Request.Body, err)
	}
	other, err := edited(&x, bytes.Replace(text, []byte("it's"), []byte("eta"), 1))
	if err != nil {
		t.Fatal(err)
	}
	all, rest := frames(other.Request.Body)
	sent := &upiv1.PredictValuesRequest{}
	if len(all) != 1 || len(rest) > 0 || proto.Unmarshal(all[0].data, sent) != nil || sent.GetTargetName() != "eta" {
		t.Errorf("it became %x", other.Request.Body)
	}
	if _, err := edited(&x, []byte(`{"target": 1}`)); err == nil || !strings.Contains(err.Error(), "this is no caraml.upi.v1.PredictValuesRequest") {
		t.Errorf("what is no message is %v", err)
	}
}

func TestDifferencesAreToldByPath(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{`{"a": 1, "b": 2}`, `{"b":2,"a":1}`, ""},
		{`{"a": 1.0}`, `{"a": 1}`, "a: 1.0 -> 1"},
		{`{"a": 12345678901234567890}`, `{"a": 12345678901234567891}`, "a: 12345678901234567890 -> 12345678901234567891"},
		{`{"a": [1, 2, 3]}`, `{"a": [1, 5]}`, "a.1: 2 -> 5; a.2: 3 -> "},
		{`{"a": {"x.y": "<"}}`, `{"a": {"x.y": 1, "z": null}}`, `a."x.y": "<" -> 1; a.z:  -> null`},
		{`[]`, `{}`, "(all of it): [] -> {}"},
	} {
		all, ok := differJSON([]byte(c.a), []byte(c.b))
		var told []string
		for _, d := range all {
			told = append(told, d.path+": "+d.before+" -> "+d.after)
		}
		if got := strings.Join(told, "; "); !ok || got != c.want {
			t.Errorf("%s and %s differ by %q, want %q", c.a, c.b, got, c.want)
		}
	}
	if _, ok := differJSON([]byte(`{"a": NaN}`), []byte(`{}`)); ok {
		t.Error("what is no JSON is compared as JSON")
	}
}

func TestBodiesThatAreNoJSONAreComparedByBytes(t *testing.T) {
	got := laidOut(80, func(d *document) {
		d.bodies("ANSWER", comparedBody{text: []byte("the first text")}, comparedBody{text: []byte("the other text")})
	})
	if !strings.Contains(got, "they differ from byte 4 on, of 14 and 14") || !strings.Contains(got, `- "the first text"`) {
		t.Errorf("it is\n%s", got)
	}
	cut := comparedBody{text: []byte("same"), cut: true}
	if got := laidOut(80, func(d *document) { d.bodies("ANSWER", cut, cut) }); !strings.Contains(got, "the same as far as they are kept") {
		t.Errorf("what is cut is called the same:\n%s", got)
	}
}

func TestATimeIsDividedIntoItsParts(t *testing.T) {
	for _, c := range []struct {
		f    event.Served
		want string
	}{
		{event.Served{Held: 10, Queued: 20, Sent: 35, FirstByte: 75, Took: 100}, "h10 q20 c5 f40 d25"},
		{event.Served{Sent: 5, FirstByte: 95, Took: 100}, "h0 q0 c5 f90 d5"},
		{event.Served{Queued: 100, Took: 100}, "h0 q100 c0 f0 d0"},           // refused
		{event.Served{Queued: 20, Sent: 40, Took: 100}, "h0 q20 c20 f0 d60"}, // broken off before an answer
	} {
		var told []string
		sum := time.Duration(0)
		for _, p := range partsOf(&c.f) {
			told = append(told, p.letter+strings.TrimSuffix(p.took.String(), "ns"))
			sum += p.took
		}
		for i := range told {
			told[i] = strings.TrimSuffix(told[i], "s")
		}
		if got := strings.Join(told, " "); got != c.want || sum != c.f.Took {
			t.Errorf("%+v is %s, %d together; want %s", c.f, got, sum, c.want)
		}
	}
}

func TestNumbersFitTheirColumns(t *testing.T) {
	for n := int64(1); n > 0 && n < 1<<60; n = n*11/10 + 1 {
		if text := volume(n); cells(text) > 6 {
			t.Errorf("%d bytes are %s", n, text)
		}
		if text := brief(time.Duration(n)); cells(text) > 6 && time.Duration(n) < 1000*time.Hour {
			t.Errorf("%d ns are %s", n, text)
		}
	}
}
