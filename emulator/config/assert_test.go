package config

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// wantText asks for an error with all these parts.
func wantText(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q:\n%v", part, err)
		}
	}
}

func firstDifference(got, want string) string {
	wanted := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(wanted) || line != wanted[i] {
			return fmt.Sprintf("line %d is %q", i+1, line)
		}
	}
	return "the end is missing"
}

func dump(t *testing.T, values ...any) string {
	t.Helper()
	var b strings.Builder
	for _, v := range values {
		out, err := json.MarshalIndent(v, "", "  ")
		must(t, err)
		b.Write(append(out, '\n'))
	}
	return b.String()
}

// portable takes this machine's folder out of a text.
func portable(t *testing.T, text string) string {
	t.Helper()
	dir, err := filepath.Abs("testdata")
	must(t, err)
	return strings.ReplaceAll(text, dir, "DIR")
}
