package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestCompareIsAModelsOrWhatAllShare(t *testing.T) {
	full := Compare{
		Absolute: 1e-9, Relative: 0.01, At: []Tolerance{{"predictions.*.score", 0.5, 0}, {"**.p", 0, 1e-6}},
		Ignore: []string{"**.id"}, Unordered: []string{"predictions"}, Headers: []string{"Content-Type"}, Integers: IntegersAsFloats,
	}
	const text = "compare: {absolute: 1e-9, relative: 0.01, at: [{path: 'predictions.*.score', absolute: 0.5}, {path: '**.p', relative: 1e-6}], ignore: ['**.id'], unordered: [predictions], headers: [Content-Type], integers: as_floats}\n"
	for _, row := range []struct {
		text string
		want map[string]Compare
	}{
		{"image: i\nmodel: m\n", map[string]Compare{"m-1": {}}},
		{"image: i\nmodel: m\n" + text, map[string]Compare{"m-1": full}},
		{text + "models: [{image: i, model: a}, {image: i, model: b, compare: {absolute: 2}}]\n", map[string]Compare{"a-1": full, "b-1": {Absolute: 2}, "c-1": {}}},
	} {
		f, err := loadText(t, row.text)
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		for id, want := range row.want {
			if got := f.CompareOf(id); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s has %+v", row.text, id, got)
			}
		}
	}
}

func TestAMistakeInCompareIsToldWithItsPlace(t *testing.T) {
	for text, words := range map[string]string{
		"compare: off\n":                                     "1:10: compare: wants a mapping",
		"compare: {absolute: -1}\n":                          "1:21: compare.absolute: \"-1\" is out of range",
		"compare: {relative: 1.5}\n":                         "compare.relative: \"1.5\" is out of range",
		"compare: {relative: .nan}\n":                        "compare.relative",
		"compare:\n  at:\n    - {absolute: 1}\n":             "3:7: compare.at[0]: path is missing",
		"compare:\n  at:\n    - {path: a, tolerance: 1}\n":   "3:17: compare.at[0]: unknown key \"tolerance\"",
		"compare: {ignore: ['a[0]']}\n":                      "1:20: compare.ignore[0]: \"a[0]\" is not allowed: wants a path",
		"compare: {ignore: ['$']}\n":                         "instances.*.email",
		"compare: {headers: ['a b']}\n":                      "a header's name",
		"compare: {integers: same}\n":                        "allowed are apart, as_floats",
		"models: [{image: i, compare: {unordered: [a..b]}}]": "models[0].compare.unordered[0]",
	} {
		_, err := loadText(t, text)
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: error is %v", text, err)
		}
	}
}
