package pins

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

// Format is the version of the files.
const Format = 1

// file is a pin as it stands in its file.
type file struct {
	Format  int     `json:"format"`
	Model   string  `json:"model,omitempty"`
	Expect  Expect  `json:"expect"`
	Compare *Rules  `json:"compare,omitempty"`
	Request request `json:"request"`
	Answer  answer  `json:"answer"`
}

type request struct {
	Method  string   `json:"method"`
	Host    string   `json:"host,omitempty"`
	Path    string   `json:"path"`
	Query   string   `json:"query,omitempty"`
	Proto   string   `json:"proto"`
	Header  []string `json:"header,omitempty"` // "Name: value"
	Trailer []string `json:"trailer,omitempty"`
	Body    *body    `json:"body,omitempty"`
}

type answer struct {
	Status     int      `json:"status"`
	GRPCStatus *int     `json:"grpc_status,omitempty"`
	Error      string   `json:"error,omitempty"`
	Header     []string `json:"header,omitempty"`
	Trailer    []string `json:"trailer,omitempty"`
	Body       *body    `json:"body,omitempty"`
}

// passing are the fields that belong to a connection, or to the moment: they would differ in
// every file that is accepted anew, and nothing can be expected of them.
var passing = []string{"host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings", "content-length", "date", "age", "x-request-id", "traceparent", "tracestate"}

func lines(fields []event.Field) []string {
	var all []string
	for _, f := range fields {
		if !strings.HasPrefix(f.Name, ":") && !slices.Contains(passing, strings.ToLower(f.Name)) {
			all = append(all, f.Name+": "+f.Value)
		}
	}
	return all
}

func fields(lines []string) ([]event.Field, error) {
	var all []event.Field
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is no header: it is NAME: VALUE", line)
		}
		all = append(all, event.Field{Name: name, Value: strings.TrimPrefix(value, " ")})
	}
	return all, nil
}

// encode is the file of a pin. The same pin gives the same bytes.
func encode(p Pin) ([]byte, error) {
	x := &p.Exchange
	f := file{
		Format: Format, Model: x.Model, Expect: p.Expect,
		Request: request{
			Method: x.Method, Host: x.Host, Path: x.Path, Query: x.Query, Proto: x.Proto,
			Header: lines(x.Request.Header), Trailer: lines(x.Request.Trailer), Body: bodyOf(&x.Request, x.Path, true),
		},
		Answer: answer{
			Status: x.Status, GRPCStatus: x.GRPCStatus, Error: x.Error,
			Header: lines(x.Answer.Header), Trailer: lines(x.Answer.Trailer), Body: bodyOf(&x.Answer, x.Path, false),
		},
	}
	if !p.Rules.empty() {
		f.Compare = &p.Rules
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(f); err != nil {
		return nil, err
	}
	return append(pretty(nil, bytes.TrimSpace(out.Bytes()), 0), '\n'), nil
}

func (r Rules) empty() bool {
	return r.Absolute == nil && r.Relative == nil && r.Integers == "" && len(r.At)+len(r.Ignore)+len(r.Unordered)+len(r.Headers) == 0
}

// decode reads the file of a pin.
func decode(name string, data []byte) (Pin, error) {
	var f file
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return Pin{}, placed(data, decoder.InputOffset(), err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Pin{}, placed(data, decoder.InputOffset(), errors.New("something follows the pin"))
	}
	if f.Format != Format {
		return Pin{}, fmt.Errorf("its format is %d: this version reads %d", f.Format, Format)
	}
	p := Pin{Name: name, Expect: f.Expect}
	if f.Compare != nil {
		p.Rules = *f.Compare
	}
	if err := p.check(); err != nil {
		return Pin{}, err
	}
	return p, f.exchange(&p.Exchange)
}

// placed adds the line of a mistake.
func placed(data []byte, offset int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:min(int(offset), len(data))], []byte("\n")), err)
}

func (p *Pin) check() error {
	switch {
	case p.Expect != SameAnswer && p.Expect != NoFailure:
		return fmt.Errorf("expect is %q: it is %q or %q", p.Expect, SameAnswer, NoFailure)
	case p.Rules.Integers != "" && p.Rules.Integers != "apart" && p.Rules.Integers != "as_floats":
		return fmt.Errorf("compare.integers is %q: it is apart or as_floats", p.Rules.Integers)
	}
	if err := p.Rules.over(compare.Rules{}).Check(); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	return nil
}

// exchange puts the file's two sides into an exchange.
func (f *file) exchange(x *event.Exchange) (err error) {
	r, a := &f.Request, &f.Answer
	x.Model, x.Method, x.Host, x.Path, x.Query, x.Proto = f.Model, r.Method, r.Host, r.Path, r.Query, r.Proto
	x.Status, x.GRPCStatus, x.Error = a.Status, a.GRPCStatus, a.Error
	for _, side := range []struct {
		to   *[]event.Field
		from []string
	}{{&x.Request.Header, r.Header}, {&x.Request.Trailer, r.Trailer}, {&x.Answer.Header, a.Header}, {&x.Answer.Trailer, a.Trailer}} {
		if *side.to, err = fields(side.from); err != nil {
			return err
		}
	}
	if err := r.Body.message(&x.Request); err != nil {
		return fmt.Errorf("the request's body: %w", err)
	}
	if err := a.Body.message(&x.Answer); err != nil {
		return fmt.Errorf("the answer's body: %w", err)
	}
	x.BytesIn, x.BytesOut = x.Request.Size, x.Answer.Size
	return nil
}
