package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
)

// upiRequest writes a PredictValuesRequest: what it is about, then its tables.
func (d *document) upiRequest(m *upiv1.PredictValuesRequest) {
	d.field("target_name", m.GetTargetName())
	d.field("prediction_id", m.GetMetadata().GetPredictionId())
	if at := m.GetMetadata().GetRequestTimestamp(); at != nil {
		d.field("request_timestamp", at.AsTime().Format(time.RFC3339Nano))
	}
	d.variables("prediction_context", m.GetPredictionContext())
	d.table("prediction_table", m.GetPredictionTable())
	for _, t := range m.GetTransformerInput().GetTables() {
		d.table("transformer_input", t)
	}
	d.variables("transformer_input", m.GetTransformerInput().GetVariables())
	d.unknown(len(m.ProtoReflect().GetUnknown()))
}

// upiResponse writes a PredictValuesResponse.
func (d *document) upiResponse(m *upiv1.PredictValuesResponse) {
	meta := m.GetMetadata()
	d.field("target_name", m.GetTargetName())
	d.field("prediction_id", meta.GetPredictionId())
	for _, model := range meta.GetModels() {
		d.field("model", strings.TrimSpace(model.GetName()+" "+model.GetVersion()))
	}
	d.field("experiment_name", meta.GetExperimentName())
	d.field("treatment_name", meta.GetTreatmentName())
	d.variables("prediction_context", m.GetPredictionContext())
	d.table("prediction_result_table", m.GetPredictionResultTable())
	d.unknown(len(m.ProtoReflect().GetUnknown()))
}

func (d *document) unknown(n int) {
	if n > 0 {
		d.line(toneWarn, fmt.Sprintf("and %d bytes of fields that UPI v1.0.0 does not have", n))
	}
}

// field writes a name and its value, where there is one.
func (d *document) field(name, value string) {
	if value != "" {
		d.add(toneName, name)
		d.add(tonePlain, " ")
		d.add(toneText, value)
		d.end(2)
	}
}

func (d *document) variables(title string, all []*upiv1.Variable) {
	for _, v := range all {
		value, i := variable(v)
		d.add(toneFaint, title+" ")
		d.add(toneName, v.GetName())
		d.add(tonePlain, " ")
		d.add(i, value)
		d.end(2)
	}
}

func variable(v *upiv1.Variable) (string, tone) {
	switch v.GetType() {
	case upiv1.Type_TYPE_DOUBLE:
		return double(v.GetDoubleValue()), toneNumber
	case upiv1.Type_TYPE_INTEGER:
		return strconv.FormatInt(v.GetIntegerValue(), 10), toneNumber
	}
	return v.GetStringValue(), toneText
}

// double is the shortest text that is that number and no other.
func double(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// upiCell is one value, of the type that its column has.
func upiCell(v *upiv1.Value, of upiv1.Type) (string, tone) {
	switch {
	case v.GetIsNull():
		return "null", toneWord
	case of == upiv1.Type_TYPE_DOUBLE:
		return double(v.GetDoubleValue()), toneNumber
	case of == upiv1.Type_TYPE_INTEGER:
		return strconv.FormatInt(v.GetIntegerValue(), 10), toneNumber
	case of == upiv1.Type_TYPE_STRING:
		return v.GetStringValue(), toneText
	}
	switch { // a column without a type: whatever is there
	case v.GetStringValue() != "":
		return v.GetStringValue(), toneText
	case v.GetIntegerValue() != 0:
		return strconv.FormatInt(v.GetIntegerValue(), 10), toneNumber
	}
	return double(v.GetDoubleValue()), toneNumber
}

var upiTypes = map[upiv1.Type]string{
	upiv1.Type_TYPE_DOUBLE: "double", upiv1.Type_TYPE_INTEGER: "integer", upiv1.Type_TYPE_STRING: "string",
}

// The bounds of a table that is drawn.
const (
	widestCell = 32     // cells
	mostValues = 50_000 // values, in whole rows
	fewRows    = 3      // so many are drawn as columns where their values do not fit side by side
)

// shownRows are those of a table's rows that are drawn.
func shownRows(t *upiv1.Table) []*upiv1.Row {
	most := max(mostValues/(len(t.GetColumns())+1), fewRows)
	return t.GetRows()[:min(len(t.GetRows()), most)]
}

// table writes a table: its rows below each other; where its columns do not fit side by
// side, in parts; where it has few rows, a line for every column.
func (d *document) table(title string, t *upiv1.Table) {
	if t == nil {
		return
	}
	d.add(toneTitle, title)
	if t.GetName() != "" && t.GetName() != title {
		d.add(tonePlain, " ")
		d.add(toneText, t.GetName())
	}
	d.add(toneFaint, "  "+several(len(t.GetRows()), "row")+" of "+several(len(t.GetColumns()), "column"))
	d.end(2)
	g := newGrid(t)
	switch {
	case len(t.GetColumns()) == 0 && len(t.GetRows()) == 0:
	case g.total() > d.width && len(t.GetRows()) <= fewRows:
		d.transposed(g)
	default:
		d.parts(g)
	}
	if extra := len(t.GetRows()) - len(g.rows); extra > 0 {
		d.line(toneWarn, fmt.Sprintf("and %s more: x exports them all", several(extra, "row")))
	}
	for i, row := range shownRows(t) {
		if n := len(row.GetValues()); n != len(t.GetColumns()) {
			d.line(toneBad, fmt.Sprintf("row %d has %s for %s", i+1, several(n, "value"), several(len(t.GetColumns()), "column")))
		}
	}
}

// several is a number of things.
func several(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// grid is a table as texts. Its first column is the rows' ids.
type grid struct {
	names, types []string
	widths       []int
	right        []bool // numbers stand at the right
	rows         [][]gridCell
}

type gridCell struct {
	text string
	tone tone
}

func newGrid(t *upiv1.Table) *grid {
	g := &grid{names: []string{"row_id"}, types: []string{""}, right: []bool{false}}
	for _, c := range t.GetColumns() {
		g.names = append(g.names, legible(c.GetName()))
		g.types = append(g.types, upiTypes[c.GetType()])
		g.right = append(g.right, c.GetType() == upiv1.Type_TYPE_DOUBLE || c.GetType() == upiv1.Type_TYPE_INTEGER)
	}
	for i, name := range g.names {
		g.widths = append(g.widths, max(cells(name), len(g.types[i])))
	}
	for _, row := range shownRows(t) {
		texts := []gridCell{{legible(row.GetRowId()), toneFaint}}
		for i, v := range row.GetValues() {
			of := upiv1.Type_TYPE_UNSPECIFIED
			if i < len(t.GetColumns()) {
				of = t.GetColumns()[i].GetType()
			} else if len(texts) == len(g.names) { // a value without a column
				g.names, g.types, g.widths, g.right = append(g.names, "?"), append(g.types, ""), append(g.widths, 1), append(g.right, false)
			}
			text, tone := upiCell(v, of)
			texts = append(texts, gridCell{legible(text), tone})
		}
		for i, c := range texts {
			g.widths[i] = max(g.widths[i], cells(c.text))
		}
		g.rows = append(g.rows, texts)
	}
	for i := range g.widths {
		g.widths[i] = min(g.widths[i], widestCell)
	}
	return g
}

// total is how wide all columns are side by side.
func (g *grid) total() int {
	n := 0
	for _, w := range g.widths {
		n += w + 2
	}
	return n - 2
}

// parts writes as many columns side by side as fit, then the next ones.
func (d *document) parts(g *grid) {
	for from := 1; from < len(g.names) || from == 1; {
		used, to := g.widths[0], from
		for to < len(g.names) && (to == from || used+2+g.widths[to] <= d.width) {
			used += 2 + g.widths[to]
			to++
		}
		switch {
		case from == 1 && to == len(g.names):
		case to == from+1:
			d.line(toneFaint, fmt.Sprintf("column %d of %d", from, len(g.names)-1))
		default:
			d.line(toneFaint, fmt.Sprintf("columns %d to %d of %d", from, to-1, len(g.names)-1))
		}
		columns := []int{0}
		for i := from; i < to; i++ {
			columns = append(columns, i)
		}
		d.gridLine(g, columns, func(i int) gridCell { return gridCell{g.names[i], toneName} })
		d.gridLine(g, columns, func(i int) gridCell { return gridCell{g.types[i], toneFaint} })
		for _, row := range g.rows {
			d.gridLine(g, columns, func(i int) gridCell {
				if i >= len(row) {
					return gridCell{"-", toneBad}
				}
				return row[i]
			})
		}
		from = max(to, from+1)
	}
}

func (d *document) gridLine(g *grid, columns []int, cell func(i int) gridCell) {
	for n, i := range columns {
		if n > 0 {
			d.add(tonePlain, "  ")
		}
		c := cell(i)
		text := clip(c.text, g.widths[i])
		fill := spaces(g.widths[i] - cells(text))
		if g.right[i] {
			d.add(tonePlain, fill)
			d.add(c.tone, text)
		} else {
			d.add(c.tone, text)
			if n < len(columns)-1 {
				d.add(tonePlain, fill)
			}
		}
	}
	d.end(2)
}

// transposed writes a line for every column: its name, its type, and the rows' values.
func (d *document) transposed(g *grid) {
	name, kind := 0, 0
	for i := range g.names {
		name, kind = max(name, min(cells(g.names[i]), d.width/2)), max(kind, len(g.types[i]))
	}
	for i := range g.names {
		text := clip(g.names[i], name)
		d.add(toneName, text)
		d.add(tonePlain, spaces(name-cells(text)+1))
		d.add(toneFaint, g.types[i]+spaces(kind-len(g.types[i])+1))
		for n, row := range g.rows {
			if n > 0 {
				d.add(tonePlain, "  ")
			}
			if i < len(row) {
				d.add(row[i].tone, row[i].text)
			} else {
				d.add(toneBad, "-")
			}
		}
		d.end(name + 1)
	}
}

// clip cuts a safe text to so many cells; what is cut ends in two dots.
func clip(text string, width int) string {
	if cells(text) <= width {
		return text
	}
	at, _ := hardBreak(text, width-2)
	return text[:at] + ".."
}
