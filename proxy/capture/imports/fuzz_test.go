package imports_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"

	"github.com/caraml-dev/merlin-local/proxy/capture/imports"
)

// hostile reads anything as a format: it may be refused, and what is yielded is whole.
func hostile(f *testing.F, format imports.Format, seeds ...string) {
	for name, of := range fixtures {
		if of == format || format == "" {
			f.Add(fixture(f, name))
		}
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := read(data, imports.Options{Format: format, Model: "m", Longest: 1 << 16})
		if err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
		for _, x := range all {
			if format != imports.Recording && format != "" && (x.Method == "" || x.Status == 0 && x.Answer.Cut == "" || x.Request.Size >= 0 && int64(len(x.Request.Body)) > x.Request.Size) {
				t.Errorf("%+v is half an exchange", x)
			}
		}
	})
}

func FuzzHARNeverPanics(f *testing.F) { hostile(f, imports.HAR, `{"log":{"entries":[`) }

func FuzzCommandsNeverPanic(f *testing.F) {
	hostile(f, imports.Commands, "curl $'\\x41' \"a\\\"b\" a | b && curl x; curl y &> z", "curl a.b -d \\\n'x' #", "curl 'a' $\"b\" ~x", "curl {a,b} [c] !d")
}

func FuzzCloudEventsNeverPanic(f *testing.F) { hostile(f, imports.CloudEvents, "[{}]", "Data,\n") }

func FuzzAccessLogsNeverPanic(f *testing.F) { hostile(f, imports.AccessLog) }

func FuzzBodiesNeverPanic(f *testing.F) { hostile(f, imports.Bodies) }

func FuzzPredictionLogsNeverPanic(f *testing.F) {
	hostile(f, imports.PredictionLog, string(delimited(f)))
}

func FuzzAnyFileNeverPanics(f *testing.F) {
	hostile(f, "", "\x1f\x8b\x08", "\x02a", "☁️  cloudevents.Event")
}

// delimited are the fixture's prediction logs as protobuf with their lengths.
func delimited(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	for line := range bytes.Lines(fixture(t, "predictions.jsonl")) {
		m := &upiv1.PredictionLog{}
		if err := protojson.Unmarshal(line, m); err != nil {
			t.Fatal(err)
		}
		if _, err := protodelim.MarshalTo(&out, m); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestDelimitedPredictionLogsSayWhatTheirJSONSays(t *testing.T) {
	format := imports.Format("")
	got, err := read(delimited(t), imports.Options{Recognised: func(f imports.Format) { format = f }})
	want, wantErr := read(fixture(t, "predictions.jsonl"), imports.Options{})
	if err != nil || wantErr != nil || format != imports.PredictionLog {
		t.Fatal(err, wantErr, format)
	}
	if len(got) != 3 || told(got) == "" || len(told(got)) != len(told(want)) {
		t.Errorf("got\n%s\nwant\n%s", told(got), told(want))
	}
}
