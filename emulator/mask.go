package emulator

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// mask hides the values of secrets in whatever a model's supervisor tells.
type mask struct {
	replacer *strings.Replacer // nil where there is nothing to hide
	longest  int               // of what is hidden, in bytes
	texts    []string          // what is hidden, the longest first
}

const (
	// shortestHidden is the length from which a text is hidden. What is shorter could
	// be part of any word.
	shortestHidden = 4
	masked         = "***"
)

// newMask hides the model's secrets, those of its build, each line of one that has
// several, since logs come by lines, and the forms that JSON gives them.
func newMask(m *Model) mask {
	texts := map[string]bool{}
	for _, value := range m.Secrets() {
		for _, text := range append(strings.Split(value, "\n"), value, escaped(value)) {
			if text = strings.TrimRight(text, "\r"); len(text) >= shortestHidden {
				texts[text] = true
			}
		}
	}
	if len(texts) == 0 {
		return mask{}
	}
	ordered := slices.Collect(maps.Keys(texts))
	slices.SortFunc(ordered, func(a, b string) int { return len(b) - len(a) }) // one may hold another
	var pairs []string
	for _, text := range ordered {
		pairs = append(pairs, text, masked)
	}
	return mask{strings.NewReplacer(pairs...), len(ordered[0]), ordered}
}

// Secrets are the values that nothing may show: of the model's secrets, and of those of
// its build.
func (m *Model) Secrets() []string {
	return append(slices.Collect(maps.Values(m.SecretValues)), buildSecrets(m)...)
}

// buildSecrets are the values that the image's build can read.
func buildSecrets(m *Model) []string {
	if m.Build == nil {
		return nil
	}
	var values []string
	for _, s := range m.Build.Secrets {
		if s.Env != "" {
			values = append(values, os.Getenv(s.Env))
		} else if data, err := os.ReadFile(s.File); err == nil {
			values = append(values, strings.TrimSpace(string(data)))
		}
	}
	return values
}

// escaped is the text as it stands between quotes in JSON, and in most languages.
func escaped(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return strings.Trim(string(quoted), `"`)
}

func (m mask) text(text string) string {
	if m.replacer == nil {
		return text
	}
	return m.replacer.Replace(text)
}

// fact hides secrets in every text of a fact.
func (m mask) fact(f event.Fact) event.Fact {
	if m.replacer == nil {
		return f
	}
	hidden := m.hidden(reflect.ValueOf(f), reflect.TypeOf(f).PkgPath()).Interface().(event.Fact)
	if probed, ok := hidden.(event.Probed); ok {
		probed.Body = m.cutShort(probed.Body)
		return probed
	}
	return hidden
}

// cutShort hides the beginning of a secret at the end of a text of which only the first
// bytes are kept.
func (m mask) cutShort(text string) string {
	for _, secret := range m.texts {
		for n := min(len(secret)-1, len(text)); n >= shortestHidden; n-- {
			if strings.HasSuffix(text, secret[:n]) {
				return text[:len(text)-n] + masked
			}
		}
	}
	return text
}

// hidden is a copy of a value in which secrets are hidden, in all that the types of one
// package hold. A type of its own for a text, as event.Phase, holds one of a closed list.
func (m mask) hidden(original reflect.Value, pkg string) reflect.Value {
	value := reflect.New(original.Type()).Elem()
	value.Set(original)
	inside := func(t reflect.Type) bool { return t.PkgPath() == pkg || t == reflect.TypeFor[string]() }
	switch t := original.Type(); {
	case t == reflect.TypeFor[string]():
		value.SetString(m.text(original.String()))
	case t.Kind() == reflect.Struct && t.PkgPath() == pkg:
		for i := range value.NumField() {
			if field := value.Field(i); field.CanSet() {
				field.Set(m.hidden(field, pkg))
			}
		}
	case t.Kind() == reflect.Pointer && !original.IsNil() && inside(t.Elem()):
		value.Set(reflect.New(t.Elem()))
		value.Elem().Set(m.hidden(original.Elem(), pkg))
	case t.Kind() == reflect.Slice && !original.IsNil() && inside(t.Elem()):
		value.Set(reflect.MakeSlice(t, original.Len(), original.Len()))
		for i := range original.Len() {
			value.Index(i).Set(m.hidden(original.Index(i), pkg))
		}
	case t == reflect.TypeFor[map[string]string]() && !original.IsNil():
		hidden := make(map[string]string, original.Len())
		for name, text := range original.Interface().(map[string]string) {
			hidden[m.text(name)] = m.text(text)
		}
		value.Set(reflect.ValueOf(hidden))
	}
	return value
}

func (m mask) lines(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = m.text(line)
	}
	return out
}
