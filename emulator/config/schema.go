package config

import (
	"bytes"
	"encoding/json"
)

// Schema is the JSON Schema (draft 2020-12) of the file, for editors. It says what
// can be said of a value by itself; Load also checks values against each other and
// against the disk.
func Schema() []byte {
	root := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", FileName},
		{"description", "How merlin-local runs a Merlin custom model: the keys of one model, or several under models."},
		{"if", object{{"type", "object"}, {"required", []string{"models"}}}},
		{"then", byReference(sessionSpec(), "object")},
		{"else", byReference(modelSpec(withPort), "object", "null")},
		{"$defs", definitions()},
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		panic(err) // texts and numbers of this package's own tables
	}
	return out.Bytes()
}

// definitions holds each key once, though a key may stand in several places.
func definitions() object {
	var defs object
	for _, k := range modelSpec(withPort).keys {
		defs = append(defs, member{k.name, k.spec.schema(true)})
	}
	models := sessionSpec().key("models")
	return append(defs, member{"models", object{
		{"description", models.doc},
		{"type", "array"},
		{"items", byReference(models.items, "object")},
		{"minItems", models.atLeast},
		{"maxItems", models.atMost},
	}})
}

// byReference is a mapping whose keys are those of the definitions.
func byReference(s *spec, types ...string) object {
	properties := object{}
	for _, name := range s.keyNames() {
		properties = append(properties, member{name, object{{"$ref", "#/$defs/" + name}}})
	}
	return object{{"type", oneOrMany(types)}, {"properties", properties}, {"additionalProperties", false}}
}

// object is a JSON object whose members stay in order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON keeps the order of the members.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := enc.Encode(m.name); err != nil {
			return nil, err
		}
		out.WriteByte(':')
		if err := enc.Encode(m.value); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
