package pins

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// body is a body as it stands in a file. One of JSON, Text, Lines and Base64 is given.
type body struct {
	// Layout says how JSON was written; its tokens are as they were.
	Layout string          `json:"layout,omitempty"`
	JSON   json.RawMessage `json:"json,omitempty"`
	Text   *string         `json:"text,omitempty"`
	Lines  []string        `json:"lines,omitempty"` // with a newline between them
	Base64 []byte          `json:"base64,omitempty"`
	// Reads is what a person reads in Base64; it is not read back.
	Reads []json.RawMessage `json:"reads,omitempty"`
	// Cut and Size are an event.Message's, where something is hidden.
	Cut  string `json:"cut,omitempty"`
	Size int64  `json:"size,omitempty"`
}

// layouts are the ways in which programs write JSON, by their names here. A newline at the end
// makes "compact and a newline" of "compact".
var layouts = []struct {
	name string
	lay  func(compact []byte) []byte
}{
	{"compact", func(in []byte) []byte { return in }},
	{"spaced", spaced},
	{"indented by 2", indented("  ")},
	{"indented by 4", indented("    ")},
	{"indented by a tab", indented("\t")},
}

const andNewline = " and a newline"

func indented(by string) func([]byte) []byte {
	return func(in []byte) []byte {
		var out bytes.Buffer
		_ = json.Indent(&out, in, "", by) // it was compacted, so it is JSON
		return out.Bytes()
	}
}

// spaced is JSON with a space behind each comma and colon, as Python writes it.
func spaced(in []byte) []byte {
	var out []byte
	quoted := false
	for i := 0; i < len(in); i++ {
		out = append(out, in[i])
		switch {
		case quoted && in[i] == '\\':
			i++
			out = append(out, in[i])
		case in[i] == '"':
			quoted = !quoted
		case !quoted && (in[i] == ',' || in[i] == ':'):
			out = append(out, ' ')
		}
	}
	return out
}

// bodyOf is a message's body as it stands in a file; nil where there is none.
func bodyOf(m *event.Message, method string, isRequest bool) *body {
	if len(m.Body) == 0 && m.Cut == "" {
		return nil
	}
	b := &body{Cut: m.Cut}
	if m.Cut != "" {
		b.Size = m.Size
	}
	switch {
	case m.IsGRPC():
		b.Base64, b.Reads = m.Body, reads(m, method, isRequest)
	case b.asJSON(m.Body):
	case utf8.Valid(m.Body):
		b.asText(string(m.Body))
	default:
		b.Base64 = m.Body
	}
	return b
}

// asJSON takes a body that is JSON in one of the layouts; false where it is not.
func (b *body) asJSON(in []byte) bool {
	var compact bytes.Buffer
	if !utf8.Valid(in) || json.Compact(&compact, in) != nil {
		return false
	}
	for _, l := range layouts {
		text := l.lay(compact.Bytes())
		switch {
		case bytes.Equal(text, in):
			b.Layout = l.name
		case bytes.Equal(append(text, '\n'), in):
			b.Layout = l.name + andNewline
		default:
			continue
		}
		b.JSON = compact.Bytes()
		return true
	}
	return false
}

func (b *body) asText(text string) {
	if lines := strings.Split(text, "\n"); len(lines) > 1 {
		b.Lines = lines
		return
	}
	b.Text = &text
}

// bytes is the body as it was.
func (b *body) bytes() ([]byte, error) {
	switch {
	case b == nil:
		return nil, nil
	case b.JSON != nil:
		return b.laid()
	case b.Text != nil:
		return []byte(*b.Text), nil
	case b.Lines != nil:
		return []byte(strings.Join(b.Lines, "\n")), nil
	}
	return b.Base64, nil
}

func (b *body) laid() ([]byte, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, b.JSON); err != nil {
		return nil, err
	}
	for _, l := range layouts {
		switch b.Layout {
		case l.name:
			return l.lay(compact.Bytes()), nil
		case l.name + andNewline:
			return append(l.lay(compact.Bytes()), '\n'), nil
		}
	}
	return nil, fmt.Errorf("layout %q is not known", b.Layout)
}

// message puts a body back into a message.
func (b *body) message(m *event.Message) (err error) {
	if m.Body, err = b.bytes(); err != nil {
		return err
	}
	m.Size = int64(len(m.Body))
	if b != nil && b.Cut != "" {
		m.Cut, m.Size = b.Cut, b.Size
	}
	return nil
}

// reads is every message of a UPI body as JSON; nil where it is none, or cannot be read.
func reads(m *event.Message, method string, isRequest bool) []json.RawMessage {
	if method != "/caraml.upi.v1.UniversalPredictionService/PredictValues" {
		return nil
	}
	var all []json.RawMessage
	for _, frame := range m.GRPCMessages() {
		var message proto.Message = &upiv1.PredictValuesResponse{}
		if isRequest {
			message = &upiv1.PredictValuesRequest{}
		}
		if frame.Compressed || frame.Size != len(frame.Data) || proto.Unmarshal(frame.Data, message) != nil {
			return nil
		}
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
		var compact bytes.Buffer
		if err != nil || json.Compact(&compact, text) != nil { // protojson varies its spaces on purpose
			return nil
		}
		all = append(all, compact.Bytes())
	}
	return all
}
