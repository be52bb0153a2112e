package jsonpath

import (
	"strings"
	"testing"
)

func TestAPathLeadsToWhatItNames(t *testing.T) {
	for _, row := range []struct {
		path, place string
		want        bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a", "a.b", false},
		{"a.b", "a", false},
		{"a.*", "a.0", true},
		{"a.*.b", "a.0.b", true},
		{"$.a[*].b", "a.17.b", true},
		{"a.0.b", "a.0.b", true},
		{"a.0.b", "a.1.b", false},
		{"**.id", "id", true},
		{"**.id", "a.b.c.id", true},
		{"**.id", "a.id.b", false},
		{"a.**", "a", true},
		{"a.**", "a.b.c", true},
		{"a.**.z", "a.b.z.c.z", true},
		{"**.a.**.b", "x.a.y.a.b", true},
		{"**.a.**.b", "x.b.y.a", false},
		{"**", "", true},
		{"*", "", false},
	} {
		p, err := Parse(row.path)
		if err != nil {
			t.Fatal(err)
		}
		var place []string
		if row.place != "" {
			place = strings.Split(row.place, ".")
		}
		if got := p.Matches(place); got != row.want {
			t.Errorf("%s leads to %q: %t", row.path, row.place, got)
		}
	}
}

func TestAPathWithManyStarsIsMatchedInBoundedTime(t *testing.T) {
	p, err := Parse(strings.Repeat("**.a.", 40) + "b")
	if err != nil {
		t.Fatal(err)
	}
	place := strings.Split(strings.TrimSuffix(strings.Repeat("a.", 5000), "."), ".")
	if p.Matches(place) {
		t.Error("it has no b")
	}
}

func TestAPathThatIsNoneIsAMistake(t *testing.T) {
	for _, text := range []string{"", "a..b", "a[0]", ".", "a.[*].b.", "$"} {
		if p, err := Parse(text); err == nil || !strings.Contains(err.Error(), "instances.*.email") {
			t.Errorf("%q: %q, %v", text, p, err)
		}
	}
}
