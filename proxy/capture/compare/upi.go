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

// table is a table as its name, its columns' names and types, and its rows, each with its
// cells by the column's name.
func (t *treeOf) table(m *upiv1.Table) value {
	v := value{kind: object}
	v.member("name", value{kind: text, text: m.GetName()})
	columns := value{kind: list}
	for _, c := range m.GetColumns() {
		columns.items = append(columns.items, t.message(c.ProtoReflect()))
	}
	v.member("columns", columns)
	rows := value{kind: list}
	for _, r := range m.GetRows() {
		if t.full() {
			break
		}
		rows.items = append(rows.items, t.row(r, m.GetColumns()))
	}
	v.member("rows", rows)
	t.unknown(&v, m.ProtoReflect())
	return v
}

func (t *treeOf) row(r *upiv1.Row, columns []*upiv1.Column) value {
	v := value{kind: object}
	v.member("row_id", value{kind: text, text: r.GetRowId()})
	cells := value{kind: object}
	for i, cell := range r.GetValues() {
		if t.full() {
			break
		}
		name, of := strconv.Itoa(i), upiv1.Type_TYPE_UNSPECIFIED
		if i < len(columns) {
			name, of = columns[i].GetName(), columns[i].GetType()
		}
		cells.member(name, t.cell(cell, of))
	}
	v.member("values", cells)
	t.unknown(&v, r.ProtoReflect())
	return v
}

// typed is a cell or a variable: it has a value for each type, of which one counts.
type typed interface {
	ProtoReflect() protoreflect.Message
	GetDoubleValue() float64
	GetIntegerValue() int64
	GetStringValue() string
}

// scalar is the value of the type; false where there is one of another type, or more.
func scalar(v typed, of upiv1.Type) (value, bool) {
	double, whole, words := v.GetDoubleValue() != 0, v.GetIntegerValue() != 0, v.GetStringValue() != ""
	switch {
	case len(v.ProtoReflect().GetUnknown()) > 0:
	case of == upiv1.Type_TYPE_DOUBLE && !whole && !words:
		return doubleValue(v.GetDoubleValue()), true
	case of == upiv1.Type_TYPE_INTEGER && !double && !words:
		return value{kind: integer, text: strconv.FormatInt(v.GetIntegerValue(), 10)}, true
	case of == upiv1.Type_TYPE_STRING && !double && !whole:
		return value{kind: text, text: v.GetStringValue()}, true
	}
	return value{}, false
}

// cell is a cell's value by its column's type; all of it where it has one of another.
func (t *treeOf) cell(c *upiv1.Value, of upiv1.Type) value {
	t.made++
	v, ok := scalar(c, of)
	switch {
	case c.GetIsNull() && proto.Equal(c, &upiv1.Value{IsNull: true}):
		return value{}
	case ok && !c.GetIsNull():
		return v
	}
	return t.fields(c.ProtoReflect())
}

func (t *treeOf) variable(m *upiv1.Variable) value {
	worth, ok := scalar(m, m.GetType())
	if !ok {
		return t.fields(m.ProtoReflect())
	}
	v := value{kind: object}
	v.member("name", value{kind: text, text: m.GetName()})
	v.member("type", enum(m.GetType().Descriptor(), m.GetType().Number()))
	v.member("value", worth)
	return v
}
