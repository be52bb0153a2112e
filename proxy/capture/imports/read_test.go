package imports_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/imports"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixtures are files as production leaves them behind, with their formats.
var fixtures = map[string]imports.Format{
	"browser.har": imports.HAR, "lines.sh": imports.Commands, "events.jsonl": imports.CloudEvents, "event-display.txt": imports.CloudEvents,
	"queue-proxy.log": imports.AccessLog, "timestamped.log": imports.AccessLog, "bodies.jsonl": imports.Bodies, "predictions.jsonl": imports.PredictionLog,
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(data []byte, o imports.Options) (all []event.Exchange, err error) {
	for x, err := range imports.Read(bytes.NewReader(data), o) {
		if err != nil {
			return all, err
		}
		all = append(all, x)
	}
	return all, nil
}

// told says all that is in exchanges, as text.
func told(all []event.Exchange) string {
	var b strings.Builder
	for _, x := range all {
		fmt.Fprintf(&b, "%s %s%s%s %s -> %d", x.Method, x.Host, x.Path, x.Query, x.Proto, x.Status)
		if x.GRPCStatus != nil {
			fmt.Fprintf(&b, " grpc %d", *x.GRPCStatus)
		}
		fmt.Fprintf(&b, " by %q at %s took %s %s\n", x.Replica, x.Arrived.Format("2006-01-02T15:04:05.999Z07:00"), x.Took, x.Error)
		for i, m := range []event.Message{x.Request, x.Answer} {
			fmt.Fprintf(&b, "  %s %d bytes %s\n", []string{"request", "answer"}[i], m.Size, m.Cut)
			for _, f := range append(m.Header, m.Trailer...) {
				fmt.Fprintf(&b, "    %s: %s\n", f.Name, f.Value)
			}
			fmt.Fprintf(&b, "    %s\n", bodyOf(x, m, i))
		}
	}
	return b.String()
}

// bodyOf is a body as text; UPI's messages are in JSON.
func bodyOf(x event.Exchange, m event.Message, side int) string {
	if !m.IsGRPC() || len(m.Body) == 0 {
		return fmt.Sprintf("%q", m.Body)
	}
	message := []proto.Message{&upiv1.PredictValuesRequest{}, &upiv1.PredictValuesResponse{}}[side]
	for _, one := range m.GRPCMessages() {
		if err := proto.Unmarshal(one.Data, message); err != nil {
			return err.Error()
		}
	}
	text, err := protojson.Marshal(message)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(text), ", ", ",")
}

func TestEachFormatIsRecognisedAndReadWithoutItsSecrets(t *testing.T) {
	for name, format := range fixtures {
		t.Run(name, func(t *testing.T) {
			var notes []string
			recognised := imports.Format("")
			all, err := read(fixture(t, name), imports.Options{
				Model: "iris-1", Recognised: func(f imports.Format) { recognised = f }, Note: func(text string) { notes = append(notes, text) },
			})
			if err != nil || recognised != format {
				t.Fatalf("read as %q: %v", recognised, err)
			}
			got := told(all)
			for _, note := range notes {
				got += "note: " + note + "\n"
			}
			if strings.Contains(got, "t0k3n") {
				t.Errorf("a secret is there:\n%s", got)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(fixture(t, name+".golden")); strings.ReplaceAll(got, `": `, `":`) != strings.ReplaceAll(want, `": `, `":`) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestACompressedFileIsReadAsAPlainOne(t *testing.T) {
	plain, err := read(fixture(t, "browser.har"), imports.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	packed := gzip.NewWriter(&file)
	if _, err := packed.Write(append([]byte("\xef\xbb\xbf"), fixture(t, "browser.har")...)); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	if all, err := read(file.Bytes(), imports.Options{}); err != nil || told(all) != told(plain) {
		t.Errorf("got %s, %v", told(all), err)
	}
}

func TestAnEmptyFileHasNoRequests(t *testing.T) {
	for _, f := range append(imports.Formats(), "") {
		if f == imports.HAR { // which is one value, and not any number
			continue
		}
		if all, err := read(nil, imports.Options{Format: f, Model: "m"}); len(all) > 0 || err != nil {
			t.Errorf("%s: %v, %v", f, all, err)
		}
	}
}

func TestWhatCannotBeReadIsAnErrorWithItsPlace(t *testing.T) {
	deep := strings.Repeat("[", 1<<20)
	for _, c := range []struct {
		format     imports.Format
		text, want string
	}{
		{"", "GET / HTTP/1.1\r\n\r\n", "its format is not recognised: name it with `merlin-local import --format`"},
		{"fax", "{}", `there is no format "fax": it is recording, har, curl,`},
		{imports.HAR, `{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/"}}, {"request": 7}]}}`, "entry 2: json: cannot unmarshal number"},
		{imports.HAR, `{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/"}}, {"requ`, "entry 2: the file ends in the middle of it"},
		{imports.HAR, `{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/"}}`, "entry 2: the file ends in the middle of it"},
		{imports.HAR, `{"log": {"entries": [{}]}}`, "entry 1: it has no request with a method and a url"},
		{imports.HAR, `{"log": {"version": "1.2"}}`, `there is no "entries", which a HAR file has`},
		{imports.HAR, `{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/", "postData": {"text": "?", "encoding": "base64"}}}]}}`, "entry 1: request: its text is no base64"},
		{imports.HAR, `{"log": {"entries": [` + deep, "exceeded max depth"},
		{imports.HAR, ``, "the file ends in the middle of it"},
		{imports.Commands, "curl a.b\n\nwget a.b\n", `line 3: "wget" is neither curl nor grpcurl`},
		{imports.Commands, "curl 'a.b\n", "line 1: the file ends within a quote"},
		{imports.Commands, "curl a.b \\", "line 1: the file ends in a \\"},
		{imports.Commands, "# x\ncurl \"http://$HOST/\"\n", `line 2: the value of the variable "HOST" is not known`},
		{imports.Commands, "curl http://${HOST}/\n", "line 1: the values of variables are not known"},
		{imports.Commands, "curl a.b -d \"$(cat secret)\"\n", "line 1: a part of it would have to be executed"},
		{imports.Commands, "curl a.b -d `cat secret`\n", "line 1: a part of it would have to be executed"},
		{imports.Commands, "curl a.b -d <(cat secret)\n", "line 1: a part of it would have to be executed"},
		{imports.Commands, "curl a.b " + strings.Repeat("(", 1<<20), "line 1: a part of it would have to be executed"},
		{imports.Commands, "curl a.b -d @/etc/passwd\n", `line 1: curl: invalid argument "@/etc/passwd" for "-d, --data" flag: "@/etc/passwd" is a file, and no other file is read`},
		{imports.Commands, "curl a.b --data-urlencode x@/etc/passwd\n", "is a file, and no other file is read"},
		{imports.Commands, "curl a.b -T file\n", "line 1: curl: unknown shorthand flag: 'T'"},
		{imports.Commands, "curl a.b -d @- <<EOF\nx\nEOF\n", "line 1: "},
		{imports.Commands, "curl -X POST\n", "line 1: curl: it has no URL"},
		{imports.Commands, "curl ftp://a.b/\n", `line 1: curl: "ftp://a.b/" is no HTTP address`},
		{imports.Commands, "X=1 curl a.b\n", "line 1: it is no plain curl or grpcurl command line"},
		{imports.Commands, "if if if\n", `line 1:`},
		{imports.Commands, "curl a\x00b\n", "line 1: it has a NUL byte"},
		{imports.Commands, "grpcurl -plaintext -d '{}' a:1 grpc.health.v1.Health/Check\n", `line 1: grpcurl: "grpc.health.v1.Health/Check" is not known: without its descriptor only caraml.upi.v1`},
		{imports.Commands, "grpcurl -d @ a:1 caraml.upi.v1.UniversalPredictionService/PredictValues", "line 1: grpcurl: -d @ is standard input"},
		{imports.Commands, "grpcurl -d '{\"x\": 1}' a:1 caraml.upi.v1.UniversalPredictionService/PredictValues", "line 1: grpcurl: -d is no PredictValuesRequest"},
		{imports.Commands, "grpcurl a:1 list", "line 1: grpcurl: it is no call"},
		{imports.CloudEvents, `{"specversion":"1.0","id":"1","type":"org.kubeflow.serving.inference.request","inferenceservicename":"m","data":1}` + "\n{}", "event 2: it is no CloudEvent"},
		{imports.CloudEvents, `[{"specversion":"1.0","id":"1","type":"org.kubeflow.serving.inference.request","inferenceservicename":"m","data":1},`, "event 2: the file ends in the middle of it"},
		{imports.CloudEvents, `{"specversion":"1.0","id":"1","type":"a.inference.request","inferenceservicename":"m","data_base64":"?"}`, "event 1: data_base64: illegal base64"},
		{imports.CloudEvents, "Context Attributes,\n  specversion: 1.0\n", "line 1: it is no CloudEvent"},
		{imports.AccessLog, `{"httpRequest": {"requestMethod": "GET", "requestUrl": "x"}}`, "line 1: requestMethod"},
		{imports.AccessLog, `{"httpRequest": {"requestMethod": "GET", "requestUrl": "/", "requestSize": "-7"}}`, `line 1: requestSize: "-7" is no number of bytes`},
		{imports.AccessLog, "\n{\"httpReq", "line 2: unexpected end of JSON input"},
		{imports.Bodies, "{}\n{\n", "line 2: it is no JSON"},
		{imports.PredictionLog, `{"input": {"featuresTable": {"columns": ["a"], "data": [[1, 2]]}}}`, "line 1: input: features_table: row 0: it has 2 values for 1 columns"},
		{imports.PredictionLog, `{"input": {"featuresTable": {"columns": ["a"], "column_types": ["INTEGER"], "data": [[1.5]]}}}`, `column "a": 1.5 is no integer`},
		{imports.PredictionLog, `{"input": {"featuresTable": {"columns": ["a"], "column_types": ["FAX"], "data": []}}}`, `column type "FAX" is not known`},
		{imports.PredictionLog, `{"input": {"featuresTable": {}}, "tableSchemaVersion": 2}`, "its schema is version 2"},
		{imports.PredictionLog, "\x09abc", "message 1: the file ends in the middle of it"},
		{imports.Recording, "[]", "line 1:"},
	} {
		_, err := read([]byte(c.text), imports.Options{Format: c.format, Model: "m"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %.60q gives %v, want %s", c.format, c.text, err, c.want)
		}
	}
}

func TestBodiesWithoutAModelSayWhatIsMissing(t *testing.T) {
	_, err := read([]byte("{}"), imports.Options{})
	if at := (&imports.PlaceError{}); !errors.As(err, &at) || at.Place != "line 1" || !strings.Contains(err.Error(), "--model") {
		t.Errorf("error is %v", err)
	}
	_, err = read([]byte(`{"specversion":"1.0","id":"1","type":"a.inference.request","data":1}`), imports.Options{})
	if err == nil || !strings.Contains(err.Error(), "event 1: it has no inferenceservicename: name the model with `merlin-local import --model`") {
		t.Errorf("error is %v", err)
	}
}

func TestWhatWasBeforeAMistakeCounts(t *testing.T) {
	cut := map[string]int{"browser.har": 4, "lines.sh": 10, "events.jsonl": 3, "queue-proxy.log": 2, "bodies.jsonl": 2, "predictions.jsonl": 2}
	for name, want := range cut {
		data := bytes.TrimRight(fixture(t, name), "\n} ]")
		if name == "lines.sh" {
			data = append(data, " 'open"...)
		}
		if name == "bodies.jsonl" {
			data = append(fixture(t, name)[:0:0], "{}\n{}\n{"...)
		}
		all, err := read(data, imports.Options{Model: "m", Format: fixtures[name]})
		if err == nil || len(all) < want-1 {
			t.Errorf("%s: %d were read before %v", name, len(all), err)
		}
	}
}

func TestALineThatIsTooLongIsAnErrorInEveryFormat(t *testing.T) {
	long := strings.Repeat("x", 9000)
	for format, text := range map[imports.Format]string{
		imports.HAR: `{"log": {"entries": [{"x": "` + long + `"}]}}`, imports.Commands: "curl a.b -d " + long,
		imports.CloudEvents: `{"specversion":"1.0","data":"` + long + `"}`, imports.AccessLog: `{"x":"` + long + `"}`,
		imports.Bodies: `"` + long + `"`, imports.PredictionLog: `{"predictionId":"` + long + `"}`, imports.Recording: `{"x":"` + long + `"}`,
	} {
		if _, err := read([]byte(text), imports.Options{Format: format, Model: "m", Longest: 5000}); err == nil || !strings.Contains(err.Error(), "longer than 5000 bytes") {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestReadingMayStopAnywhere(t *testing.T) {
	for name := range fixtures {
		for range imports.Read(bytes.NewReader(fixture(t, name)), imports.Options{Model: "m"}) {
			break
		}
	}
}
