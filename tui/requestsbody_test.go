package tui

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// laidOut is a document as text.
func laidOut(width int, write func(d *document)) string {
	d := &document{width: width}
	write(d)
	lines := make([]string, len(d.lines))
	for i, l := range d.lines {
		lines[i] = spaces(int(l.indent)) + l.text
	}
	return strings.Join(lines, "\n")
}

func TestJSONIsLaidOutAsItWasSent(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"b":1.0,"a":1000000000000000000001,"b":-0e-0}`, "{\n  \"b\": 1.0,\n  \"a\": 1000000000000000000001,\n  \"b\": -0e-0\n}"},
		{`{"a":[1,2]}`, `{"a": [1, 2]}`},
		{`[1.50,22,333,4444,55555,666666,7777777,88888888]`, "[\n  1.50, 22, 333, 4444, 55555,\n  666666, 7777777, 88888888\n]"},
		{`{"instances":[[5.1,3.5,1.4,0.2],[5.7,2.8,4.1,1.3]]}`, "{\n  \"instances\": [\n    [5.1, 3.5, 1.4, 0.2],\n    [5.7, 2.8, 4.1, 1.3]\n  ]\n}"},
		{"\n {} ", "{}"},
		{`"\u00e9\n"`, `"\u00e9\n"`},
		{`{"a":1}` + "\n" + `{"a":2}`, "{\"a\": 1}\n{\"a\": 2}"},
		{`[NaN, -Infinity]`, `[NaN, -Infinity]`},
		{`{"a": "` + strings.Repeat("x", 40) + `"}`, "{\n  \"a\": \"" + strings.Repeat("x", 22) + "\n    " + strings.Repeat("x", 18) + "\"\n}"},
	} {
		if got := laidOut(30, func(d *document) { d.json([]byte(c.in), false) }); got != c.want {
			t.Errorf("%s is\n%s\nwant\n%s", c.in, got, c.want)
		}
	}
}

func TestWhatIsNoJSONIsShownAsItIs(t *testing.T) {
	for in, want := range map[string]string{
		`{"a": 1, "b" 2}`: "from here on, byte 13, it is no JSON, or nested deeper than 200:\n2}",
		`{"a": [1, 2`:     "here the JSON ends too early",
		`{"a": "b`:        "here the JSON ends too early",
		`[1, ]`:           "from here on, byte 4",
		`{"a": tru}`:      "from here on, byte 6",
	} {
		if got := laidOut(80, func(d *document) { d.json([]byte(in), false) }); !strings.Contains(got, want) {
			t.Errorf("%s is\n%s\nwant in it\n%s", in, got, want)
		}
	}
	if got := laidOut(80, func(d *document) { d.json([]byte(`{"a": [1, 2`), true) }); strings.Contains(got, "early") {
		t.Errorf("what is cut is called broken:\n%s", got)
	}
}

// FuzzJSON lays out whatever comes. Nothing of it is lost or added but spaces between
// values, and no line is wider than the document.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{irisRequest, irisAnswer("0.1"), `{"a": [1, {"b": [[], {}]}], "c": null}`, `[[[[[[[[`, `{"a"`, `"\"`, "[1,2,3,4,5,6,7,8,9,10,11,12,13]", "{\"é\": \"界界界界界界界界界界界界界界界界界界\"}", "\x1b[31m{}", "[NaN]"} {
		f.Add([]byte(seed), 20)
		f.Add([]byte(seed), 80)
	}
	f.Fuzz(func(t *testing.T, in []byte, width int) {
		width = min(max(width, 4), 300)
		d := &document{width: width}
		d.json(in, true)
		var all strings.Builder
		for _, l := range d.lines {
			if w := int(l.indent) + cells(l.text); w > width && cells(l.text) > 2 {
				t.Errorf("a line of %d in a document of %d: %q", w, width, l.text)
			}
			if n := len(l.strokes); n > 0 && int(l.strokes[n-1].to) != len(l.text) {
				t.Errorf("the strokes of %q end at %d", l.text, l.strokes[n-1].to)
			}
			all.WriteString(l.text)
		}
		if !json.Valid(in) || legible(string(in)) != string(in) {
			return
		}
		bare := func(text string) string { return strings.ReplaceAll(text, " ", "") }
		if got, want := bare(all.String()), bare(string(in)); got != want {
			t.Errorf("%q became %q", in, all.String())
		}
	})
}

// FuzzLegible makes whatever comes safe to draw.
func FuzzLegible(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b]52;c;AAAA\x07", "\x9b31m", "\u202egnp", "a\tb", "\xff\xfe", "\x1b", "e\u0301", "👩‍👩‍👧", "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out := legible(text)
		for _, r := range out {
			if r < ' ' || 0x7f <= r && r < 0xa0 || unseen(r) {
				t.Errorf("%q became %q, which has %q", text, out, r)
			}
		}
		d := &document{width: 10}
		d.line(tonePlain, text)
		whole := ""
		for _, l := range d.lines {
			whole += l.text
		}
		if whole != out {
			t.Errorf("%q was broken into %q", out, whole)
		}
	})
}

func message(kind string, body []byte) *event.Message {
	return &event.Message{Header: []event.Field{{Name: "Content-Type", Value: kind}}, Body: body, Size: int64(len(body))}
}

func TestABodyIsShownAsWhatItIs(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(`{"a": 1}`))
	_ = w.Close()
	zipped := message("application/json", packed.Bytes())
	zipped.Header = append(zipped.Header, event.Field{Name: "Content-Encoding", Value: "gzip"})
	broken := message("application/json", []byte("not gzip"))
	broken.Header = append(broken.Header, event.Field{Name: "Content-Encoding", Value: "gzip"})
	cut := message("text/plain", []byte("the beginning \xc3"))
	cut.Size, cut.Cut = 1<<20, "only the first 15 of 1048576 bytes are kept: the disk did not keep up"
	for name, c := range map[string]struct {
		m    *event.Message
		want []string
	}{
		"none":    {message("", nil), []string{"no body"}},
		"text":    {message("text/html", []byte("<p>\r\n\tone\r\n")), []string{"<p>\n    one"}},
		"json":    {message("text/plain", []byte(`{"a":1}`)), []string{`{"a": 1}`}}, // whatever it is called
		"gzip":    {zipped, []string{"gzip: ", "8B unpacked", `{"a": 1}`}},
		"no gzip": {broken, []string{"gzip, which cannot be unpacked", "not gzip"}},
		"binary":  {message("image/png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDRxx")), []string{"000000  89 50 4e 47 0d 0a 1a 0a  00 00 00 0d 49 48 44 52  .PNG........IHDR", "000010  78 78 "}},
		"cut":     {cut, []string{"the disk did not keep up", "the beginning"}},
		"large":   {message("text/plain", bytes.Repeat([]byte("0123456789abcdef\n"), 100_000)), []string{"the first 512Ki of 1.6Mi are shown: x exports it all"}},
	} {
		got := laidOut(80, func(d *document) { d.body(c.m, "/", true) })
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s does not show %q:\n%.2000s", name, want, got)
			}
		}
	}
}

const predictValues = "/caraml.upi.v1.UniversalPredictionService/PredictValues"

func upiTable(columns, rows int) *upiv1.Table {
	table := &upiv1.Table{Name: "prediction_table"}
	for i := range columns {
		table.Columns = append(table.Columns, &upiv1.Column{Name: fmt.Sprintf("feature_%02d", i), Type: upiv1.Type(i%3 + 1)})
	}
	for r := range rows {
		row := &upiv1.Row{RowId: fmt.Sprintf("r%d", r)}
		for i := range columns {
			v := &upiv1.Value{}
			switch i % 3 {
			case 0:
				v.DoubleValue = 0.1 * float64(r+1)
			case 1:
				v.IntegerValue = 9007199254740993 // one that no double is
			case 2:
				v.StringValue, v.IsNull = "jakarta", r == 1
			}
			row.Values = append(row.Values, v)
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// framed is messages as gRPC's frames.
func framed(t *testing.T, all ...proto.Message) []byte {
	t.Helper()
	var body []byte
	for _, m := range all {
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		body = append(body, event.GRPCFrame(data)...)
	}
	return body
}

func TestUPITablesAreTables(t *testing.T) {
	request := &upiv1.PredictValuesRequest{TargetName: "eta", PredictionTable: upiTable(3, 2), Metadata: &upiv1.RequestMetadata{PredictionId: "p-1"}}
	request.PredictionContext = []*upiv1.Variable{{Name: "country", Type: upiv1.Type_TYPE_STRING, StringValue: "id"}}
	m := message("application/grpc+proto", framed(t, request))
	got := laidOut(70, func(d *document) { d.body(m, predictValues, true) })
	want := `target_name eta
prediction_id p-1
prediction_context country id
prediction_table  2 rows of 3 columns
row_id  feature_00        feature_01  feature_02
            double           integer  string
r0             0.1  9007199254740993  jakarta
r1             0.2  9007199254740993  null`
	if got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}

	request.PredictionTable = upiTable(9, 1)
	m = message("application/grpc", framed(t, request))
	if got := laidOut(70, func(d *document) { d.body(m, predictValues, true) }); !strings.Contains(got, "feature_01 integer 9007199254740993\nfeature_02 string  jakarta") {
		t.Errorf("one row of many columns is not a list:\n%s", got)
	}
	request.PredictionTable = upiTable(9, 5)
	m = message("application/grpc", framed(t, request))
	got = laidOut(70, func(d *document) { d.body(m, predictValues, true) })
	for _, want := range []string{"columns 1 to 3 of 9", "columns 4 to 6 of 9", "columns 7 to 9 of 9"} {
		if !strings.Contains(got, want) {
			t.Errorf("a wide table has no part %q:\n%s", want, got)
		}
	}
}

func TestATableWhoseRowsDoNotFitItsColumnsSaysSo(t *testing.T) {
	table := upiTable(2, 2)
	table.Rows[0].Values = table.Rows[0].Values[:1]
	table.Rows[1].Values = append(table.Rows[1].Values, &upiv1.Value{StringValue: "odd"})
	m := message("application/grpc", framed(t, &upiv1.PredictValuesResponse{PredictionResultTable: table}))
	got := laidOut(90, func(d *document) { d.body(m, predictValues, false) })
	for _, want := range []string{"row 1 has 1 value for 2 columns", "row 2 has 3 values for 2 columns", "odd"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not show %q:\n%s", want, got)
		}
	}
}

func TestMessagesOfGRPCAreShownByTheirType(t *testing.T) {
	check := &grpc_health_v1.HealthCheckRequest{Service: "eta"}
	two := message("application/grpc", framed(t, check, &grpc_health_v1.HealthCheckRequest{}))
	broken := message("application/grpc", append(framed(t, check), 0, 0, 0, 1))
	for name, c := range map[string]struct {
		m      *event.Message
		method string
		want   []string
	}{
		"known":   {two, "/grpc.health.v1.Health/Watch", []string{"message 1 of 2", `{"service": "eta"}`, "message 2 of 2", "an empty message"}},
		"unknown": {two, "/my.Service/Call", []string{"its type is not known here", "0a 03 65 74 61"}},
		"no type": {message("application/grpc", event.GRPCFrame([]byte{0xff, 0xff})), "/grpc.health.v1.Health/Check", []string{"it is no grpc.health.v1.HealthCheckRequest", "ff ff"}},
		"broken":  {broken, "/grpc.health.v1.Health/Check", []string{`{"service": "eta"}`, "4 bytes that are no whole message"}},
		"no JSON": {message("application/grpc", event.GRPCFrame(nil)), "nonsense", []string{"an empty message"}},
	} {
		got := laidOut(80, func(d *document) { d.body(c.m, c.method, true) })
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s does not show %q:\n%s", name, want, got)
			}
		}
	}
}

// FuzzGRPC shows whatever comes as a body of gRPC.
func FuzzGRPC(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 2, 0x12, 0}, true)
	f.Add([]byte{1, 0, 0, 0, 1, 0xff}, false)
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff}, true)
	f.Fuzz(func(t *testing.T, body []byte, isRequest bool) {
		m := message("application/grpc", body)
		m.Header = append(m.Header, event.Field{Name: "grpc-encoding", Value: "gzip"})
		d := &document{width: 60}
		d.body(m, predictValues, isRequest)
		for _, l := range d.lines {
			if w := int(l.indent) + cells(l.text); w > 60 {
				t.Errorf("a line of %d: %q", w, l.text)
			}
		}
	})
}
