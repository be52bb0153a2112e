package pins

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

// exchange is one with those bodies.
func exchange(request, answer string) event.Exchange {
	x := event.Exchange{
		Served: event.Served{ID: 7, Method: "POST", Host: "localhost:8080", Path: "/v1/models/iris-1:predict", Proto: "HTTP/1.1", Status: 200, Took: time.Second},
		Model:  "iris-1", Revision: 3, Arrived: time.Unix(1, 0),
	}
	x.Request = event.Message{Header: []event.Field{{Name: "Content-Type", Value: "application/json"}, {Name: "Authorization", Value: "***"}}, Body: []byte(request), Size: int64(len(request))}
	x.Answer = event.Message{Header: []event.Field{{Name: "Content-Type", Value: "application/json"}, {Name: "Date", Value: "today"}}, Body: []byte(answer), Size: int64(len(answer))}
	return x
}

func pinned(t *testing.T, x event.Exchange) Pin {
	t.Helper()
	p, err := New("a", x)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestABodyIsExactToTheByteAndReadable(t *testing.T) {
	for name, row := range map[string]struct{ body, stands string }{
		"compact":             {`{"instances":[[5.10,3e1,"\u00e9<é>"]]}`, `"json": {"instances": [[5.10, 3e1, "\u00e9<é>"]]}`},
		"a newline":           {"{\"a\":1}\n", `"layout": "compact and a newline"`},
		"as Python writes":    {`{"a": 1, "b": [1, 2, "x, y: z", "\"", "\\"]}`, `"layout": "spaced"`},
		"indented":            {"{\n  \"a\": [\n    1,\n    2\n  ]\n}", `"layout": "indented by 2"`},
		"indented more":       {"[\n    1\n]\n", `"layout": "indented by 4 and a newline"`},
		"in a way of its own": {`{"a" :1}`, `"text": "{\"a\" :1}"`},
		"two texts":           {"{\"a\":1}\n{\"a\":2}\n", `"lines": ["{\"a\":1}", "{\"a\":2}", ""]`},
		"NaN":                 {`{"a":NaN}`, `"text": "{\"a\":NaN}"`},
		"a name twice":        {`{"a":1,"a":2}`, `"json": {"a": 1, "a": 2}`},
		"words":               {"not found\r\n", `"lines": ["not found\r", ""]`},
		"bytes":               {"\xff\x00", `"base64": "/wA="`},
		"a number":            {"1", `"json": 1`},
		"null":                {"null", `"json": null`},
		"nothing":             {"", `"method": "POST"`},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := encode(pinned(t, exchange(row.body, row.body)))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(data), row.stands) {
				t.Errorf("%s\nhas no %s", data, row.stands)
			}
			p, err := decode("a", data)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(p.Exchange.Request.Body); got != row.body {
				t.Errorf("%q became %q", row.body, got)
			}
			if got := string(p.Exchange.Answer.Body); got != row.body {
				t.Errorf("the answer's %q became %q", row.body, got)
			}
			again, err := encode(p)
			if err != nil || !bytes.Equal(again, data) {
				t.Errorf("written again it is\n%s\nand was\n%s: %v", again, data, err)
			}
		})
	}
}

func TestAFileHasNothingThatPasses(t *testing.T) {
	x := exchange("{}", "{}")
	first, err := encode(pinned(t, x))
	if err != nil {
		t.Fatal(err)
	}
	x.ID, x.Took, x.Arrived, x.Revision, x.Replica = 8, time.Minute, time.Now(), 9, "1.2.3.4:8080"
	x.Answer.Header[1].Value = "tomorrow"
	second, err := encode(pinned(t, x))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("%s\nbecame\n%s", first, second)
	}
}

func TestAUPIMessageIsReadBesideItsBytes(t *testing.T) {
	data, err := proto.Marshal(&upiv1.PredictValuesRequest{TargetName: "eta"})
	if err != nil {
		t.Fatal(err)
	}
	x := exchange("", "")
	x.Path = "/caraml.upi.v1.UniversalPredictionService/PredictValues"
	x.Request.Header = []event.Field{{Name: "content-type", Value: "application/grpc"}}
	x.Request.Body = event.GRPCFrame(data)
	x.Request.Size = int64(len(x.Request.Body))
	file, err := encode(pinned(t, x))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(file), `"reads": [{"target_name": "eta"}]`) {
		t.Errorf("%s", file)
	}
	p, err := decode("a", file)
	if err != nil || !bytes.Equal(p.Exchange.Request.Body, x.Request.Body) {
		t.Errorf("%x, %v", p.Exchange.Request.Body, err)
	}
}

func TestAStoreNeverOverwritesUnasked(t *testing.T) {
	s := At(t.TempDir())
	if all, err := s.All(); len(all) > 0 || err != nil {
		t.Fatalf("%v, %v", all, err)
	}
	p := pinned(t, exchange(`{"a":1}`, `{"b":1}`))
	if err := s.Add(p); err != nil {
		t.Fatal(err)
	}
	other := pinned(t, exchange(`{"a":2}`, `{"b":2}`))
	if err := s.Add(other); !errors.Is(err, os.ErrExist) && !errors.Is(err, ErrThere) {
		t.Errorf("added over another: %v", err)
	}
	got, err := s.Get("a")
	if err != nil || string(got.Exchange.Request.Body) != `{"a":1}` {
		t.Errorf("%s, %v", got.Exchange.Request.Body, err)
	}
	if err := s.Replace(other); err != nil {
		t.Fatal(err)
	}
	if got, err = s.Get("a"); err != nil || string(got.Exchange.Answer.Body) != `{"b":2}` {
		t.Errorf("%s, %v", got.Exchange.Answer.Body, err)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v: %v", entries, err)
	}
	if err := s.Remove("a"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.Remove("a"), second(s.Get("a")), second(s.Get("b"))} {
		if !errors.Is(err, ErrNone) {
			t.Errorf("%v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAPinThatCannotBeReadDoesNotHideTheOthers(t *testing.T) {
	s := At(t.TempDir())
	p := pinned(t, exchange("{}", "{}"))
	for _, name := range []string{"b", "a"} {
		p.Name = name
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "broken.json"), []byte("{\n\"format\": 1,\n\"expct\": 1}"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := s.All()
	if len(all) != 2 || all[0].Name != "a" || all[1].Name != "b" {
		t.Errorf("%v", all)
	}
	if err == nil || !strings.Contains(err.Error(), "broken.json: line 3") || !strings.Contains(err.Error(), "expct") {
		t.Errorf("the mistake is told as %v", err)
	}
}

func TestMistakesInAFileAreTold(t *testing.T) {
	good, err := encode(pinned(t, exchange("{}", "{}")))
	if err != nil {
		t.Fatal(err)
	}
	for change, want := range map[[2]string]string{
		{`"format": 1`, `"format": 2`}:                            "its format is 2",
		{`"same answer"`, `"same"`}:                               `expect is "same"`,
		{`"layout": "compact"`, `"layout": "odd"`}:                `layout "odd"`,
		{`"Content-Type: application/json"`, `"nothing"`}:         `"nothing" is no header`,
		{`"expect"`, `"compare": {"ignore": ["a..b"]}, "expect"`}: "a..b",
		{`"expect"`, `"compare": {"absolute": -1}, "expect"`}:     "a tolerance of -1",
		{`"expect"`, `"compare": {"integers": "x"}, "expect"`}:    "as_floats",
		{`"status": 200`, `"status": "200"`}:                      "line ",
		{"\n}\n", "\n}\n{}"}:                                      "something follows",
	} {
		text := strings.Replace(string(good), change[0], change[1], 1)
		if text == string(good) {
			t.Fatalf("%s has no %q", good, change[0])
		}
		if _, err := decode("a", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", change[1], err)
		}
	}
}

func TestANameIsOneFilesOnly(t *testing.T) {
	for _, name := range []string{"", "a/b", "..", ".a", "a b", "-a", "a.", strings.Repeat("a", 101), `a\b`, "a\x00"} {
		if CheckName(name) == nil {
			t.Errorf("%q is taken", name)
		}
	}
	s := At(t.TempDir())
	x := exchange("{}", "{}")
	for _, want := range []string{"iris-1-predict", "iris-1-predict-2"} {
		p := pinned(t, x)
		if p.Name = s.Free(x); p.Name != want {
			t.Errorf("got %s, want %s", p.Name, want)
		}
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	x.Model, x.Path = "", "/"
	if got := s.Free(x); got != "request" {
		t.Errorf("got %s", got)
	}
}

func TestAPinIsJudged(t *testing.T) {
	is := func(status int, body string) event.Exchange {
		x := exchange("{}", body)
		x.Status = status
		return x
	}
	failedOnce := is(500, "oops")
	for name, row := range map[string]struct {
		was, is event.Exchange
		err     error
		rules   compare.Rules
		want    event.PinVerdict
	}{
		"the same":           {was: is(200, `{"p":0.5}`), is: is(200, `{"p": 0.5}`), want: event.PinVerdict{Outcome: event.PinPass}},
		"changed":            {was: is(200, `{"p":0.5,"q":1}`), is: is(200, `{"p":0.75,"q":2}`), want: event.PinVerdict{Outcome: event.PinChanged, Why: "q: 2, was 1", Path: "q", Was: "1", Is: "2", Differences: 2}},
		"within the rules":   {was: is(200, `{"p":0.5}`), is: is(200, `{"p":0.75}`), rules: compare.Rules{Absolute: 1}, want: event.PinVerdict{Outcome: event.PinPass}},
		"it fails now":       {was: is(200, `{}`), is: is(500, `{}`), want: event.PinVerdict{Outcome: event.PinFailed, Why: "it answers 500 Internal Server Error", Path: "status", Was: "200 OK", Is: "500 Internal Server Error", Differences: 1}},
		"it refuses now":     {was: is(200, `{}`), is: is(422, `{}`), want: event.PinVerdict{Outcome: event.PinChanged, Why: "status: 422 Unprocessable Entity, was 200 OK", Path: "status", Was: "200 OK", Is: "422 Unprocessable Entity", Differences: 1}},
		"it refused then":    {was: is(422, `{}`), is: is(422, `{}`), want: event.PinVerdict{Outcome: event.PinPass}},
		"no answer":          {was: is(200, `{}`), err: errors.New("connection refused"), want: event.PinVerdict{Outcome: event.PinFailed, Why: "connection refused"}},
		"it failed then":     {was: failedOnce, is: is(500, `other`), want: event.PinVerdict{Outcome: event.PinFailed, Why: "it answers 500 Internal Server Error"}},
		"it is mended":       {was: failedOnce, is: is(200, `{"p":1}`), want: event.PinVerdict{Outcome: event.PinPass}},
		"it is mended badly": {was: failedOnce, is: is(404, ``), want: event.PinVerdict{Outcome: event.PinFailed, Why: "it answers 404 Not Found"}},
	} {
		p := pinned(t, row.was)
		got := p.Judge(row.is, row.err, row.rules)
		row.want.Name, row.want.Took = "a", row.is.Took
		if row.err != nil {
			row.want.Took = 0
		}
		if !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, row.want)
		}
	}
}

func TestAPinsOwnRulesStandOverItsModels(t *testing.T) {
	model := compare.Rules{Absolute: 1, Relative: 0.5, Ignore: []string{"a"}, At: []compare.Tolerance{{Path: "x", Absolute: 1}}}
	nought := 0.0
	own := Rules{Absolute: &nought, Ignore: []string{"b"}, At: []Tolerance{{Path: "y", Relative: 1}}, Integers: "as_floats"}
	want := compare.Rules{
		Relative: 0.5, Ignore: []string{"a", "b"}, OneNumber: true,
		At: []compare.Tolerance{{Path: "x", Absolute: 1}, {Path: "y", Relative: 1}},
	}
	if got := own.over(model); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if len(model.Ignore) != 1 || len(model.At) != 1 {
		t.Error("the model's own are changed")
	}
}

func TestWhatIsNotAllThereIsNotPinned(t *testing.T) {
	x := exchange("{}", "{}")
	x.Request.Size, x.Request.Cut = 100, "only the first 2 of 100 bytes are kept"
	if _, err := New("a", x); err == nil || !strings.Contains(err.Error(), "first 2 of 100") {
		t.Errorf("%v", err)
	}
	x = exchange("{}", "{}")
	x.Answer.Size, x.Answer.Cut = 100, "only the first 2 of 100 bytes are kept"
	if _, err := New("a", x); err == nil {
		t.Error("an answer that is cut is pinned")
	}
	if _, err := New("../a", exchange("{}", "{}")); err == nil {
		t.Error("a path is taken for a name")
	}
}

func FuzzABodyComesBackAsItWas(f *testing.F) {
	f.Add([]byte(`{"a": [1, "x\"y", {}], "b": []}`), false)
	f.Add([]byte("{\"a\":1}\n\n"), true)
	f.Add([]byte("\xff"), false)
	f.Fuzz(func(t *testing.T, in []byte, grpc bool) {
		x := exchange(string(in), string(in))
		if grpc {
			x.Request.Header = []event.Field{{Name: "content-type", Value: "application/grpc"}}
			x.Path = "/caraml.upi.v1.UniversalPredictionService/PredictValues"
		}
		data, err := encode(pinned(t, x))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			t.Fatalf("%s is no JSON", data)
		}
		p, err := decode("a", data)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p.Exchange.Request.Body, in) || !bytes.Equal(p.Exchange.Answer.Body, in) {
			t.Errorf("%q became %q in\n%s", in, p.Exchange.Request.Body, data)
		}
	})
}
