package tui

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	_ "google.golang.org/grpc/health/grpc_health_v1" // so that its messages are known
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// frame is one message of gRPC as it was sent.
type frame struct {
	packed bool
	data   []byte
}

// frames cuts a body into its messages. rest is what is no whole message.
func frames(body []byte) (all []frame, rest []byte) {
	for len(body) >= 5 {
		n := int64(binary.BigEndian.Uint32(body[1:5]))
		if int64(len(body)-5) < n {
			break
		}
		all = append(all, frame{body[0]&1 == 1, body[5 : 5+n]})
		body = body[5+n:]
	}
	return all, body
}

// plain is a frame's message without its compression. Only gzip is known.
func (f frame) plain(encoding string) ([]byte, error) {
	switch {
	case !f.packed:
		return f.data, nil
	case encoding != "gzip":
		return nil, fmt.Errorf("the compression %q is not known here", encoding)
	}
	from, err := gzip.NewReader(bytes.NewReader(f.data))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(from, unpacked+1))
	if len(plain) > unpacked {
		return nil, fmt.Errorf("it is more than %s", size(unpacked))
	}
	return plain, err
}

// messageType finds the type of a method's messages among those that this program knows;
// nil where it knows none.
func messageType(method string, isRequest bool) protoreflect.MessageDescriptor {
	service, name, ok := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	if !ok {
		return nil
	}
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	described, is := found.(protoreflect.ServiceDescriptor)
	if err != nil || !is {
		return nil
	}
	m := described.Methods().ByName(protoreflect.Name(name))
	switch {
	case m == nil:
		return nil
	case isRequest:
		return m.Input()
	}
	return m.Output()
}

// newMessage makes a message of a type: of Go's where the program has that.
func newMessage(of protoreflect.MessageDescriptor) proto.Message {
	if known, err := protoregistry.GlobalTypes.FindMessageByName(of.FullName()); err == nil {
		return known.New().Interface()
	}
	return dynamicpb.NewMessage(of)
}

// decode reads a message.
func decode(data []byte, of protoreflect.MessageDescriptor) (proto.Message, error) {
	m := newMessage(of)
	err := proto.Unmarshal(data, m)
	return m, err
}

// messageJSON is a message as JSON in one line, with the names that its .proto has.
func messageJSON(m proto.Message) ([]byte, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Compact(&out, text) // protojson varies its spaces on purpose
	return out.Bytes(), err
}

// asJSON is every message of a body as JSON, below one another, as grpcurl takes them.
func asJSON(m *event.Message, method string, isRequest bool) ([]byte, error) {
	of := messageType(method, isRequest)
	if of == nil {
		return nil, fmt.Errorf("the messages of %s are not known here", method)
	}
	all, rest := frames(m.Body)
	if len(rest) > 0 || lacks(m) {
		return nil, fmt.Errorf("its last message is not whole")
	}
	var out []byte
	for _, f := range all {
		plain, err := f.plain(header(m.Header, "grpc-encoding"))
		if err != nil {
			return nil, err
		}
		message, err := decode(plain, of)
		if err != nil {
			return nil, err
		}
		text, err := messageJSON(message)
		if err != nil {
			return nil, err
		}
		out = append(append(out, text...), '\n')
	}
	return out, nil
}

// grpc writes the messages of a body.
func (d *document) grpc(m *event.Message, method string, isRequest bool) {
	all, rest := frames(m.Body)
	of := messageType(method, isRequest)
	budget := shownBody
	for i, f := range all {
		if budget -= len(f.data); budget < 0 && i > 0 {
			d.line(toneWarn, fmt.Sprintf("%d of %d messages are shown: x exports them all", i, len(all)))
			return
		}
		if len(all) > 1 {
			d.line(toneTitle, fmt.Sprintf("message %d of %d", i+1, len(all)))
		}
		d.message(f, header(m.Header, "grpc-encoding"), of)
	}
	if len(rest) > 0 {
		d.line(toneWarn, fmt.Sprintf("%d bytes that are no whole message:", len(rest)))
		d.hex(rest)
	}
}

func (d *document) message(f frame, encoding string, of protoreflect.MessageDescriptor) {
	plain, err := f.plain(encoding)
	if err != nil {
		d.line(toneWarn, fmt.Sprintf("it cannot be unpacked: %v", err))
		d.hex(f.data)
		return
	}
	switch {
	case len(plain) == 0:
		d.line(toneFaint, "an empty message")
		return
	case of == nil:
		d.line(toneFaint, "its type is not known here")
		d.hex(plain)
		return
	case len(plain) > unpacked:
		d.line(toneWarn, fmt.Sprintf("a %s of more than %s is shown as it is", of.FullName(), size(unpacked)))
		d.hex(plain)
		return
	}
	message, err := decode(plain, of)
	if err != nil {
		d.line(toneBad, fmt.Sprintf("it is no %s: %v", of.FullName(), err))
		d.hex(plain)
		return
	}
	switch message := message.(type) {
	case *upiv1.PredictValuesRequest:
		d.upiRequest(message)
	case *upiv1.PredictValuesResponse:
		d.upiResponse(message)
	default:
		text, err := messageJSON(message)
		if err != nil {
			d.line(toneBad, fmt.Sprintf("it cannot be shown as JSON: %v", err))
			d.hex(plain)
			return
		}
		d.json(text, false)
	}
}
