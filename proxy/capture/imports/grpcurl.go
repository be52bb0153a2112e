package imports

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// predictValues is UPI's method.
const predictValues = "/caraml.upi.v1.UniversalPredictionService/PredictValues"

// several is a flag that may be given several times.
type several []string

func (s *several) String() string { return "" }

// Set takes one.
func (s *several) Set(text string) error { *s = append(*s, text); return nil }

// grpcurl reads a command line behind its first word. Of UPI's method the message is
// known; of others it would take a descriptor.
func (s *source) grpcurl(args []string) (x event.Exchange, err error) {
	f := flag.NewFlagSet("grpcurl", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	data, authority := f.String("d", "", ""), f.String("authority", "", "")
	format, agent := f.String("format", "json", ""), f.String("user-agent", "", "")
	unknown := f.Bool("allow-unknown-fields", false, "")
	var headers, rest several
	f.Var(&headers, "H", "")
	f.Var(&headers, "rpc-header", "")
	for _, name := range []string{"reflect-header", "proto", "import-path", "protoset", "max-time", "connect-timeout", "keepalive-time", "max-msg-sz", "servername", "cacert", "cert", "key"} {
		f.Var(&rest, name, "")
	}
	for _, name := range []string{"plaintext", "insecure", "v", "vv", "emit-defaults", "use-reflection", "format-error", "expand-headers", "alts", "unix"} {
		f.Bool(name, false, "")
	}
	if err := f.Parse(args); err != nil {
		return x, fmt.Errorf("grpcurl: %w", err)
	}
	if f.NArg() != 2 || f.Arg(1) == "list" || f.Arg(1) == "describe" {
		return x, errors.New("grpcurl: it is no call: an address and a method are wanted, behind the flags")
	}
	if *format != "json" {
		return x, fmt.Errorf("grpcurl: -format %.20s is not read: give the message as JSON", *format)
	}
	body, err := upiMessage(f.Arg(1), *data, *unknown)
	if err != nil {
		return x, fmt.Errorf("grpcurl: %w", err)
	}
	x = call(body)
	if x.Host = *authority; x.Host == "" {
		x.Host = f.Arg(0)
	}
	if *agent != "" {
		headers = append(headers, "User-Agent: "+*agent)
	}
	for _, text := range headers {
		name, value, _ := strings.Cut(text, ":")
		x.Request.Header = append(x.Request.Header, event.Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return x, nil
}

// upiMessage is the message of a call to UPI's method.
func upiMessage(method, data string, unknown bool) ([]byte, error) {
	path := "/" + strings.TrimPrefix(method, "/")
	if !strings.Contains(path[1:], "/") { // service.Method
		if dot := strings.LastIndexByte(path, '.'); dot > 0 {
			path = path[:dot] + "/" + path[dot+1:]
		}
	}
	switch {
	case path != predictValues:
		return nil, fmt.Errorf("%.80q is not known: without its descriptor only %s can be read", method, predictValues[1:])
	case data == "@":
		return nil, errors.New("-d @ is standard input, which is not read: put the message behind -d")
	case strings.TrimSpace(data) == "":
		data = "{}"
	}
	m := &upiv1.PredictValuesRequest{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: unknown}).Unmarshal([]byte(data), m); err != nil {
		return nil, fmt.Errorf("-d is no PredictValuesRequest: %w", err)
	}
	return proto.Marshal(m)
}

// call is a call of UPI's method with a message.
func call(message []byte) event.Exchange {
	x := event.Exchange{Served: event.Served{Method: "POST", Path: predictValues, Proto: "HTTP/2.0"}}
	x.Request = framed(message)
	x.Request.Header = append(x.Request.Header, event.Field{Name: "Te", Value: "trailers"})
	x.BytesIn = x.Request.Size
	return x
}

func framed(message []byte) event.Message {
	body := event.GRPCFrame(message)
	return event.Message{
		Header: []event.Field{{Name: "Content-Type", Value: "application/grpc"}},
		Body:   body, Size: int64(len(body)),
	}
}
