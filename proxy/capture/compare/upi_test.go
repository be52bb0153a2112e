package compare

import (
	"bytes"
	"compress/gzip"
	"math"
	"strings"
	"testing"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// upiAnswered is an exchange with a message of UPI as its answer.
func upiAnswered(t *testing.T, m *upiv1.PredictValuesResponse) event.Exchange {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return grpcAnswered(predictValues, data, false)
}

func grpcAnswered(method string, data []byte, packed bool) event.Exchange {
	x := answered("")
	x.Path = method
	x.Answer.Header = []event.Field{{Name: "content-type", Value: "application/grpc"}, {Name: "grpc-encoding", Value: "gzip"}}
	x.Answer.Trailer = []event.Field{{Name: "grpc-status", Value: "0"}}
	n := len(data)
	x.Answer.Body = append([]byte{0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, data...)
	if packed {
		x.Answer.Body[0] = 1
	}
	x.Answer.Size = int64(len(x.Answer.Body))
	return x
}

func gzipped(data string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(data)) // into memory
	_ = w.Close()
	return out.Bytes()
}

func eta(rows ...*upiv1.Row) *upiv1.PredictValuesResponse {
	return &upiv1.PredictValuesResponse{
		TargetName: "eta",
		PredictionResultTable: &upiv1.Table{
			Name:    "results",
			Columns: []*upiv1.Column{{Name: "eta", Type: upiv1.Type_TYPE_DOUBLE}, {Name: "zone", Type: upiv1.Type_TYPE_STRING}, {Name: "n", Type: upiv1.Type_TYPE_INTEGER}},
			Rows:    rows,
		},
		Metadata: &upiv1.ResponseMetadata{PredictionId: "a"},
	}
}

func cells(id string, eta float64, zone string, n int64) *upiv1.Row {
	return &upiv1.Row{RowId: id, Values: []*upiv1.Value{{DoubleValue: eta}, {StringValue: zone}, {IntegerValue: n}}}
}

func TestUPIIsComparedCellByCell(t *testing.T) {
	was := eta(cells("1", 10, "north", 1), cells("2", 0, "south", 9007199254740993))
	for name, row := range map[string]struct {
		is    *upiv1.PredictValuesResponse
		rules Rules
		want  string
	}{
		"the same":    {is: eta(cells("1", 10, "north", 1), cells("2", 0, "south", 9007199254740993))},
		"a double":    {is: eta(cells("1", 10.5, "north", 1), cells("2", 0, "south", 9007199254740993)), want: "value prediction_result_table.rows.0.values.eta: 10 | 10.5"},
		"tolerated":   {is: eta(cells("1", 10.5, "north", 1), cells("2", 0, "south", 9007199254740993)), rules: Rules{At: []Tolerance{{Path: "**.values.eta", Absolute: 1}}}},
		"from nought": {is: eta(cells("1", 10, "north", 1), cells("2", 0.5, "south", 9007199254740993)), want: "value prediction_result_table.rows.1.values.eta: 0 | 0.5"},
		"big integer": {is: eta(cells("1", 10, "north", 1), cells("2", 0, "south", 9007199254740992)), want: "value prediction_result_table.rows.1.values.n: 9007199254740993 | 9007199254740992"},
		"NaN":         {is: eta(cells("1", math.NaN(), "north", 1), cells("2", 0, "south", 9007199254740993)), rules: Rules{Absolute: 1e6}, want: "value prediction_result_table.rows.0.values.eta: 10 | NaN"},
		"row order":   {is: eta(cells("2", 0, "south", 9007199254740993), cells("1", 10, "north", 1)), rules: Rules{Unordered: []string{"prediction_result_table.rows"}}},
		"a row less":  {is: eta(cells("1", 10, "north", 1)), want: `missing prediction_result_table.rows.1: {"row_id": "2", "values": {"eta": 0, "zone": "south", "n": 9007199254740993}} | `},
	} {
		t.Run(name, func(t *testing.T) {
			r := Answers(upiAnswered(t, was), upiAnswered(t, row.is), row.rules)
			if got := brieflyOf(r); got != row.want || r.How != "upi" {
				t.Errorf("compared as %q: got\n%s\nwant\n%s", r.How, got, row.want)
			}
		})
	}
}

func TestUPITellsNullTypesAndMetadata(t *testing.T) {
	was, is := eta(cells("1", 10, "north", 1)), eta(cells("1", 10, "north", 1))
	is.Metadata.PredictionId = "b"
	is.PredictionResultTable.Rows[0].Values[0] = &upiv1.Value{IsNull: true}
	is.PredictionResultTable.Rows[0].Values[1] = &upiv1.Value{DoubleValue: 3}
	is.PredictionContext = []*upiv1.Variable{{Name: "v", Type: upiv1.Type_TYPE_DOUBLE, DoubleValue: 0}}
	got := brieflyOf(Answers(upiAnswered(t, was), upiAnswered(t, is), Rules{}))
	want := strings.Join([]string{
		"type prediction_result_table.rows.0.values.eta: 10 | null",
		`type prediction_result_table.rows.0.values.zone: "north" | {"double_value": 3}`,
		`value metadata.prediction_id: "a" | "b"`,
		`added prediction_context:  | [{"name": "v", "type": "TYPE_DOUBLE", "value": 0}]`,
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if r := Answers(upiAnswered(t, was), upiAnswered(t, is), Rules{Ignore: []string{"metadata", "prediction_result_table.rows", "prediction_context"}}); !r.Same() || r.Ignored != 3 {
		t.Errorf("%+v", r)
	}
}

func TestOtherGRPCMessagesAreComparedAsBytes(t *testing.T) {
	was, is := grpcAnswered("/a.B/C", []byte("one"), false), grpcAnswered("/a.B/C", []byte("two"), false)
	if r := Answers(was, is, Rules{}); len(r.Differences) != 1 || r.Differences[0].Kind != Bytes || r.How != "bytes" {
		t.Errorf("%+v", r)
	}
	if r := Answers(was, grpcAnswered("/a.B/C", gzipped("one"), true), Rules{}); !r.Same() {
		t.Errorf("how it is compressed is no difference: %+v", r)
	}
}

func TestGRPCTellsItsStatusAndWords(t *testing.T) {
	was, is := grpcAnswered("/a.B/C", nil, false), grpcAnswered("/a.B/C", nil, false)
	is.Answer.Trailer = []event.Field{{Name: "grpc-status", Value: "3"}, {Name: "grpc-message", Value: "no%20column%20x"}}
	want := "grpc_status grpc-status: 0 OK | 3 InvalidArgument\nmessage grpc-message: \"\" | \"no column x\""
	if got := brieflyOf(Answers(was, is, Rules{})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCompressedBodiesAreUnpacked(t *testing.T) {
	coded := func(body []byte, coding string) event.Exchange {
		x := answered(string(body))
		x.Answer.Header = []event.Field{{Name: "Content-Encoding", Value: coding}}
		return x
	}
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer packer.Close()
	for name, x := range map[string]event.Exchange{
		"gzip": coded(gzipped(`{"a":2}`), "gzip"),
		"zstd": coded(packer.EncodeAll([]byte(`{"a":2}`), nil), "zstd"),
		"both": coded(packer.EncodeAll(gzipped(`{"a":2}`), nil), "gzip, zstd"),
	} {
		if got := brieflyOf(Answers(answered(`{"a":1}`), x, Rules{})); got != "value a: 1 | 2" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, x := range map[string]event.Exchange{
		"unknown here": coded([]byte("x"), "br"),
		"none at all":  coded([]byte("x"), "gzip"),
		"a bomb":       coded(gzipped(strings.Repeat(" ", largest+1)), "gzip"),
	} {
		r := Answers(answered(`{"a":1}`), x, Rules{})
		if len(r.Differences) != 1 || r.Differences[0].Kind != Bytes || !strings.Contains(r.Differences[0].Note, "; ") {
			t.Errorf("%s: %+v", name, r)
		}
		if r := Answers(x, x, Rules{}); !r.Same() {
			t.Errorf("%s is as itself: %+v", name, r)
		}
	}
}

func FuzzAnswersNeverPanicAndAreTheSameAsThemselves(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.0,NaN,{"b":null}]}`), []byte(`{"a":[2,1.0,{"b":1}]}`), "**", 0.1)
	f.Add([]byte("\x00\x00\x00\x00\x02\x12\x00"), []byte("\x01\x00\x00\x00\x02\x12\x00"), "a.*", 0.0)
	f.Add([]byte(`[[1],[2]]`), []byte(`[[2],[1],[3]]`), "**.0", math.Inf(1))
	f.Fuzz(func(t *testing.T, was, is []byte, path string, tolerance float64) {
		rules := Rules{Absolute: tolerance, Unordered: []string{path, "**"}, Ignore: []string{path + ".x"}, Headers: []string{path}}
		for _, kind := range []string{"application/json", "application/grpc"} {
			x, y := answered(string(was)), answered(string(is))
			x.Path, y.Path = predictValues, predictValues
			x.Answer.Header = []event.Field{{Name: "Content-Type", Value: kind}}
			y.Answer.Header = x.Answer.Header
			Answers(x, y, rules)
			if r := Answers(x, x, Rules{Unordered: rules.Unordered}); !r.Same() {
				t.Errorf("%q is not as itself: %+v", was, r)
			}
			if there, back := Answers(x, y, Rules{}), Answers(y, x, Rules{}); there.Same() != back.Same() {
				t.Errorf("%q and %q differ one way only", was, is)
			}
		}
	})
}
