package imports

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/types/known/structpb"
)

// requestOf is the request that a prediction log tells of.
func requestOf(m *upiv1.PredictionLog) (r *upiv1.PredictValuesRequest, err error) {
	in := m.GetInput()
	r = &upiv1.PredictValuesRequest{
		TargetName:        m.GetTargetName(),
		PredictionContext: in.GetPredictionContext(),
		Metadata:          &upiv1.RequestMetadata{PredictionId: m.GetPredictionId(), RequestTimestamp: m.GetRequestTimestamp()},
	}
	if m.GetPredictionId() == "" && m.GetRequestTimestamp() == nil {
		r.Metadata = nil
	}
	if r.PredictionTable, err = table(in.GetFeaturesTable(), m); err != nil {
		return nil, fmt.Errorf("features_table: %w", err)
	}
	for _, t := range []struct {
		name string
		from *structpb.Struct
	}{{"raw_features", in.GetRawFeatures()}, {"entities_table", in.GetEntitiesTable()}} {
		one, err := table(t.from, m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		if one == nil {
			continue
		}
		if r.TransformerInput == nil {
			r.TransformerInput = &upiv1.TransformerInput{}
		}
		r.TransformerInput.Tables = append(r.TransformerInput.Tables, one)
	}
	return r, nil
}

// responseOf is the answer that a prediction log tells of.
func responseOf(m *upiv1.PredictionLog) (*upiv1.PredictValuesResponse, error) {
	results, err := table(m.Output.GetPredictionResultsTable(), m)
	if err != nil {
		return nil, fmt.Errorf("prediction_results_table: %w", err)
	}
	return &upiv1.PredictValuesResponse{
		PredictionResultTable: results,
		TargetName:            m.GetTargetName(),
		PredictionContext:     m.Output.GetPredictionContext(),
		Metadata: &upiv1.ResponseMetadata{
			PredictionId: m.GetPredictionId(),
			Models:       []*upiv1.ModelMetadata{{Name: m.GetModelName(), Version: m.GetModelVersion()}},
		},
	}, nil
}

// table reads a table of the log's schema 1: names, types and ids of their own, and the
// values row by row. None is none.
func table(from *structpb.Struct, m *upiv1.PredictionLog) (*upiv1.Table, error) {
	if from == nil {
		return nil, nil
	}
	if m.GetTableSchemaVersion() > 1 {
		return nil, fmt.Errorf("its schema is version %d; only 1 is known", m.GetTableSchemaVersion())
	}
	at := from.GetFields()
	t := &upiv1.Table{Name: at["name"].GetStringValue()}
	names, types := list(at["columns"]), list(at["column_types"])
	if len(types) > 0 && len(types) != len(names) {
		return nil, fmt.Errorf("it has %d columns and %d column_types", len(names), len(types))
	}
	for i, name := range names {
		c := &upiv1.Column{Name: name.GetStringValue()}
		if len(types) > 0 {
			var err error
			if c.Type, err = typeOf(types[i].GetStringValue()); err != nil {
				return nil, err
			}
		}
		t.Columns = append(t.Columns, c)
	}
	ids := list(at["row_ids"])
	for i, values := range list(at["data"]) {
		row := &upiv1.Row{}
		if i < len(ids) {
			row.RowId = ids[i].GetStringValue()
		}
		if err := fill(row, list(values), t.Columns); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

func list(v *structpb.Value) []*structpb.Value { return v.GetListValue().GetValues() }

func fill(row *upiv1.Row, values []*structpb.Value, columns []*upiv1.Column) error {
	if len(values) != len(columns) {
		return fmt.Errorf("it has %d values for %d columns", len(values), len(columns))
	}
	for i, v := range values {
		value, err := valueOf(v, columns[i])
		if err != nil {
			return fmt.Errorf("column %q: %w", columns[i].GetName(), err)
		}
		row.Values = append(row.Values, value)
	}
	return nil
}

// typeOf is a type by the names that the logs of several versions have for it.
func typeOf(name string) (upiv1.Type, error) {
	switch name {
	case "FLOAT", "FLOAT64", "DOUBLE", "TYPE_DOUBLE":
		return upiv1.Type_TYPE_DOUBLE, nil
	case "INTEGER", "INT64", "TYPE_INTEGER":
		return upiv1.Type_TYPE_INTEGER, nil
	case "STRING", "TYPE_STRING":
		return upiv1.Type_TYPE_STRING, nil
	case "":
		return upiv1.Type_TYPE_UNSPECIFIED, nil
	}
	return 0, fmt.Errorf("column type %.40q is not known", name)
}

// valueOf is one value; of a column without a type it is what JSON says.
func valueOf(v *structpb.Value, c *upiv1.Column) (*upiv1.Value, error) {
	switch kind := v.GetKind().(type) {
	case *structpb.Value_NullValue, nil:
		return &upiv1.Value{IsNull: true}, nil
	case *structpb.Value_NumberValue:
		switch n := kind.NumberValue; c.GetType() {
		case upiv1.Type_TYPE_INTEGER:
			if n != math.Trunc(n) || math.Abs(n) > 1<<63-1024 {
				return nil, fmt.Errorf("%v is no integer", n)
			}
			return &upiv1.Value{IntegerValue: int64(n)}, nil
		case upiv1.Type_TYPE_STRING:
			return nil, fmt.Errorf("%v is no text", n)
		default:
			return &upiv1.Value{DoubleValue: n}, nil
		}
	case *structpb.Value_StringValue:
		return valueOfText(kind.StringValue, c)
	}
	return nil, errors.New("it is neither a number nor a text")
}

// valueOfText reads numbers that JSON cannot say, and integers that it writes as text.
func valueOfText(text string, c *upiv1.Column) (*upiv1.Value, error) {
	switch c.GetType() {
	case upiv1.Type_TYPE_DOUBLE:
		n, err := strconv.ParseFloat(text, 64)
		return &upiv1.Value{DoubleValue: n}, err
	case upiv1.Type_TYPE_INTEGER:
		n, err := strconv.ParseInt(text, 10, 64)
		return &upiv1.Value{IntegerValue: n}, err
	}
	return &upiv1.Value{StringValue: text}, nil
}
