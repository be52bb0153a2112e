package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"

	kubernetes "sigs.k8s.io/json"
)

// What aliases may make of a small source is bounded: so many values, so much text.
const (
	maxValues = 200_000
	maxText   = 16 << 20
)

// decodeManifest gives an object's tree to Go's types as JSON, the form that the API
// server sees, by its own reader: a number where text is wanted is an error here as
// there, and a key has its case. The status is left out, which nobody writes.
func decodeManifest(object *node, into any, report *report) bool {
	text := &jsonText{}
	text.write(&node{shape: mapping, at: object.at, fields: withoutKey(object.fields, "status")})
	if text.values > maxValues {
		report.add(object.at, "", "its aliases stand for more than an object can hold")
		return false
	}
	err := kubernetes.UnmarshalCaseSensitivePreserveInts(text.Bytes(), into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return true
	case errors.As(err, &wrong):
		report.add(text.placeAt(int(wrong.Offset)), wrong.Field, "wants %s, not a JSON %s", wanted(wrong.Type), wrong.Value)
	default:
		report.add(object.at, "", "%s", err)
	}
	return false
}

func withoutKey(fields []field, key string) []field {
	var kept []field
	for _, f := range fields {
		if f.key != key {
			kept = append(kept, f)
		}
	}
	return kept
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "a mapping"
}

// jsonText is JSON with the place where each value was written.
type jsonText struct {
	bytes.Buffer
	values int
	starts []valueStart
}

type valueStart struct {
	offset int
	at     place
}

func (j *jsonText) write(n *node) {
	if j.values++; j.Len() > maxText {
		j.values = maxValues + 1
	}
	if j.values > maxValues {
		j.WriteString("null")
		return
	}
	j.starts = append(j.starts, valueStart{j.Len(), n.at})
	switch {
	case n.null || n.bad:
		j.WriteString("null")
	case n.shape == mapping:
		j.mapping(n)
	case n.shape == sequence:
		j.sequence(n)
	case n.plain && (n.text == "true" || n.text == "false" || isNumber(n.text)):
		j.WriteString(n.text)
	default:
		j.text(n.text)
	}
}

func (j *jsonText) mapping(n *node) {
	j.WriteByte('{')
	for i, f := range n.fields {
		if i > 0 {
			j.WriteByte(',')
		}
		j.text(f.key)
		j.WriteByte(':')
		j.write(f.value)
	}
	j.WriteByte('}')
}

func (j *jsonText) sequence(n *node) {
	j.WriteByte('[')
	for i, item := range n.items {
		if i > 0 {
			j.WriteByte(',')
		}
		j.write(item)
	}
	j.WriteByte(']')
}

func (j *jsonText) text(text string) {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err) // every string can be encoded
	}
	j.Write(encoded)
}

// placeAt is where the value was written that the decoder stands at or just behind.
func (j *jsonText) placeAt(offset int) place {
	at := start()
	for _, s := range j.starts {
		if s.offset >= offset {
			break
		}
		at = s.at
	}
	return at
}
