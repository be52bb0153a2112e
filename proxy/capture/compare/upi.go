package compare

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// messages compares gRPC answers: UPI's by path, others message by message as bytes.
func (w *walk) messages(was, is *event.Exchange) {
	before, errBefore := upiAnswer(was)
	after, errAfter := upiAnswer(is)
	if errBefore == nil && errAfter == nil && w.entire(was, is, was.Answer.Body, is.Answer.Body) {
		w.How = "upi"
		w.values(&before, &after)
		return
	}
	x, errX := joined(&was.Answer)
	y, errY := joined(&is.Answer)
	if errX != nil || errY != nil {
		x, y = was.Answer.Body, is.Answer.Body
	}
	w.asBytes(was, is, [2][]byte{x, y}, "")
}

// predictValues is the method of UPI that predicts.
const predictValues = "/caraml.upi.v1.UniversalPredictionService/PredictValues"

var errNotUPI = errors.New("it is no PredictValuesResponse")

// upiAnswer is what a UPI model answered; several messages are a list, and none is null.
func upiAnswer(x *event.Exchange) (value, error) {
	if x.Path != predictValues {
		return value{}, errNotUPI
	}
	var all []value
	frames, err := unframed(&x.Answer)
	if err != nil {
		return value{}, err
	}
	for _, data := range frames {
		m := &upiv1.PredictValuesResponse{}
		if len(data) > largestUPI {
			return value{}, errBounds
		}
		if proto.Unmarshal(data, m) != nil {
			return value{}, errNotUPI
		}
		t := &treeOf{}
		v := t.message(m.ProtoReflect())
		if t.full() {
			return value{}, errBounds
		}
		all = append(all, v)
	}
	switch len(all) {
	case 0:
		return value{}, nil
	case 1:
		return all[0], nil
	}
	return value{kind: list, items: all}, nil
}

// unframed is every message of a gRPC body, unpacked.
func unframed(m *event.Message) ([][]byte, error) {
	var all [][]byte
	size := 0
	for _, frame := range m.GRPCMessages() {
		if frame.Size != len(frame.Data) {
			return nil, errors.New("its last message is not whole")
		}
		data := frame.Data
		if frame.Compressed {
			var err error
			if data, err = unpack(data, strings.Join(field(m, "grpc-encoding"), ",")); err != nil {
				return nil, err
			}
		}
		if size += len(data); size > largest {
			return nil, errBounds
		}
		all = append(all, data)
	}
	return all, nil
}

// joined is the messages of a gRPC body one after the other, unpacked and framed anew: how
// they were compressed is no difference.
func joined(m *event.Message) ([]byte, error) {
	frames, err := unframed(m)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, data := range frames {
		n := uint32(len(data))
		out = append(out, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		out = append(out, data...)
	}
	return out, nil
}

// treeOf makes a value of a message. Tables have their cells by column.
type treeOf struct{ made int }

// full tells that it has more values than are compared by path.
func (t *treeOf) full() bool { return t.made > mostValues }

func (t *treeOf) message(m protoreflect.Message) value {
	t.made++
	switch m := m.Interface().(type) {
	case *upiv1.Table:
		return t.table(m)
	case *upiv1.Variable:
		return t.variable(m)
	}
	return t.fields(m)
}

// fields is a message with the fields that it has.
func (t *treeOf) fields(m protoreflect.Message) value {
	v := value{kind: object}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); m.Has(f) {
			v.member(string(f.Name()), t.field(f, m.Get(f)))
		}
	}
	t.unknown(&v, m)
	return v
}

// unknown adds what a message has of fields that this version of UPI does not know.
func (t *treeOf) unknown(v *value, m protoreflect.Message) {
	if more := m.GetUnknown(); len(more) > 0 {
		v.member("unknown_fields", value{kind: text, text: hex.EncodeToString(more)})
	}
}

func (t *treeOf) field(f protoreflect.FieldDescriptor, v protoreflect.Value) value {
	if !f.IsList() { // UPI has no maps
		return t.single(f, v)
	}
	all := value{kind: list}
	for i := 0; i < v.List().Len() && !t.full(); i++ {
		all.items = append(all.items, t.single(f, v.List().Get(i)))
	}
	return all
}

func (t *treeOf) single(f protoreflect.FieldDescriptor, v protoreflect.Value) value {
	t.made++
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return t.message(v.Message())
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return doubleValue(v.Float())
	case protoreflect.StringKind:
		return value{kind: text, text: v.String()}
	case protoreflect.BoolKind:
		return value{kind: truth, text: strconv.FormatBool(v.Bool())}
	case protoreflect.BytesKind:
		return value{kind: text, text: hex.EncodeToString(v.Bytes())}
	case protoreflect.EnumKind:
		return enum(f.Enum(), v.Enum())
	}
	return value{kind: integer, text: v.String()}
}

func doubleValue(n float64) value {
	text := strconv.FormatFloat(n, 'g', -1, 64)
	text = strings.TrimPrefix(strings.Replace(text, "Inf", "Infinity", 1), "+")
	return value{kind: float, text: text}
}

func enum(d protoreflect.EnumDescriptor, n protoreflect.EnumNumber) value {
	if known := d.Values().ByNumber(n); known != nil {
		return value{kind: text, text: string(known.Name())}
	}
	return value{kind: text, text: strconv.Itoa(int(n))}
}
