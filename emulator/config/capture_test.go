package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestCaptureIsTheSessionsAndSaysWhatIsHidden(t *testing.T) {
	for _, row := range []struct {
		text string
		want Capture
	}{
		{"image: i\n", Capture{}},
		{"image: i\ncapture: off\n", Capture{Off: true}},
		{"image: i\ncapture: {bytes: 64Mi, headers: [X-User], json: [instances.*.email, '**.token', '$.a[*].b']}\n", Capture{
			Bytes: 64 << 20, Headers: []string{"X-User"}, JSON: []string{"instances.*.email", "**.token", "$.a[*].b"},
		}},
		{"capture: {json: [a]}\nmodels: [{image: i, model: a}, {image: i, model: b}]\n", Capture{JSON: []string{"a"}}},
	} {
		f, err := loadText(t, row.text)
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		if !reflect.DeepEqual(f.Capture, row.want) {
			t.Errorf("%s: got %+v", row.text, f.Capture)
		}
	}
}

func TestAMistakeInCaptureIsTold(t *testing.T) {
	for text, words := range map[string]string{
		"capture: on\n":                                  "wants off",
		"capture: {bytes: many}\n":                       "such as 256Mi",
		"capture: {headers: ['a b']}\n":                  "a header's name",
		"capture: {json: ['a..b']}\n":                    "instances.*.email",
		"capture: {json: ['a[0]']}\n":                    "instances.*.email",
		"capture: {jsn: []}\n":                           "json",
		"models: [{image: i, model: a, capture: off}]\n": "capture",
	} {
		_, err := loadText(t, text)
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: error is %v", text, err)
		}
	}
}
