package compare

import (
	"strconv"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

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
