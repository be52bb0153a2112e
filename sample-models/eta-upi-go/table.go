package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"

	"example.com/eta-upi-go/eta"
)

// column is one that the prediction table must have. Where it stands does not
// matter, and columns beside these are left alone.
type column struct {
	name string
	typ  upiv1.Type
	put  func(*eta.Trip, *upiv1.Value) error
}

var columns = []column{
	{"distance_km", upiv1.Type_TYPE_DOUBLE, func(t *eta.Trip, v *upiv1.Value) error {
		t.DistanceKM = v.GetDoubleValue()
		if !(t.DistanceKM > 0) || math.IsInf(t.DistanceKM, 0) {
			return fmt.Errorf("it is %v; a finite number above 0 is needed", t.DistanceKM)
		}
		return nil
	}},
	{"hour_of_day", upiv1.Type_TYPE_INTEGER, func(t *eta.Trip, v *upiv1.Value) error {
		t.HourOfDay = v.GetIntegerValue()
		return within(t.HourOfDay, 0, 23)
	}},
	{"is_weekend", upiv1.Type_TYPE_INTEGER, func(t *eta.Trip, v *upiv1.Value) error {
		t.IsWeekend = v.GetIntegerValue()
		return within(t.IsWeekend, 0, 1)
	}},
	{"weather", upiv1.Type_TYPE_STRING, func(t *eta.Trip, v *upiv1.Value) error {
		t.Weather = v.GetStringValue()
		if !slices.Contains(eta.Weathers, t.Weather) {
			return fmt.Errorf("it is %q; it must be one of %s", t.Weather, strings.Join(eta.Weathers, ", "))
		}
		return nil
	}},
}

func within(x, low, high int64) error {
	if x < low || x > high {
		return fmt.Errorf("it is %d; it must be from %d to %d", x, low, high)
	}
	return nil
}

// trips reads the prediction table, one trip a row. Its errors tell the client
// which row and column to mend, and how.
func trips(table *upiv1.Table) ([]eta.Trip, error) {
	if len(table.GetRows()) == 0 {
		return nil, errors.New("prediction_table has no rows")
	}
	places, err := places(table.GetColumns())
	if err != nil {
		return nil, err
	}
	all := make([]eta.Trip, len(table.GetRows()))
	seen := make(map[string]int, len(all))
	for i, row := range table.GetRows() {
		id := row.GetRowId()
		if id == "" {
			return nil, fmt.Errorf("prediction_table: row %d has no row_id", i)
		}
		if first, twice := seen[id]; twice {
			return nil, fmt.Errorf("prediction_table: rows %d and %d have the same row_id %q", first, i, id)
		}
		seen[id] = i
		if len(row.GetValues()) != len(table.GetColumns()) {
			return nil, fmt.Errorf("prediction_table: row %q has %d values for %d columns",
				id, len(row.GetValues()), len(table.GetColumns()))
		}
		if all[i], err = trip(row, places); err != nil {
			return nil, fmt.Errorf("prediction_table: row %q: %w", id, err)
		}
	}
	return all, nil
}

// places finds where each of columns stands in the table.
func places(have []*upiv1.Column) ([]int, error) {
	at := make(map[string]int, len(have))
	for i, c := range have {
		if _, twice := at[c.GetName()]; twice {
			return nil, fmt.Errorf("prediction_table has two columns %q", c.GetName())
		}
		at[c.GetName()] = i
	}
	places := make([]int, len(columns))
	for i, c := range columns {
		place, ok := at[c.name]
		if !ok {
			return nil, fmt.Errorf("prediction_table has no column %q; it needs %s", c.name, needed())
		}
		if typ := have[place].GetType(); typ != c.typ {
			return nil, fmt.Errorf("prediction_table: column %q is %v; it must be %v", c.name, typ, c.typ)
		}
		places[i] = place
	}
	return places, nil
}

func needed() string {
	var all []string
	for _, c := range columns {
		all = append(all, fmt.Sprintf("%s (%v)", c.name, c.typ))
	}
	return strings.Join(all, ", ")
}

func trip(row *upiv1.Row, places []int) (t eta.Trip, err error) {
	for i, c := range columns {
		value := row.GetValues()[places[i]]
		if value.GetIsNull() {
			return t, fmt.Errorf("%s is null", c.name)
		}
		if err := c.put(&t, value); err != nil {
			return t, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return t, nil
}
