package config

import (
	"bytes"
	"encoding/json"
	"strings"
)

// YAML writes values as JSON would have them, one document each: the same keys in the
// same order. Every text comes back as it was, from any reader of YAML 1.1 or 1.2.
func YAML(values ...any) ([]byte, error) {
	var out strings.Builder
	for i, value := range values {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return nil, err
		}
		trees, err := jsonTrees(text.Bytes())
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		trees[0].write(&out, "")
	}
	return []byte(out.String()), nil
}

// write writes a value that stands alone on its lines.
func (n *node) write(out *strings.Builder, indent string) {
	switch {
	case n.block() && n.shape == mapping:
		for i, f := range n.fields {
			if i > 0 {
				out.WriteString(indent)
			}
			f.write(out, indent)
		}
	case n.block():
		for i, item := range n.items {
			if i > 0 {
				out.WriteString(indent)
			}
			out.WriteString("- ")
			item.write(out, indent+"  ")
		}
	default:
		out.WriteString(n.inline() + "\n")
	}
}

// write expects that the indentation of its first line is there.
func (f field) write(out *strings.Builder, indent string) {
	for _, line := range f.comment {
		out.WriteString("# " + line + "\n" + indent)
	}
	out.WriteString(yamlText(f.key) + ":")
	if !f.value.block() {
		out.WriteString(" " + f.value.inline() + "\n")
		return
	}
	out.WriteString("\n" + indent + "  ")
	f.value.write(out, indent+"  ")
}

// block tells whether a value needs lines of its own.
func (n *node) block() bool { return len(n.fields)+len(n.items) > 0 }

func (n *node) inline() string {
	switch {
	case n.null:
		return "null"
	case n.shape == mapping:
		return "{}"
	case n.shape == sequence:
		return "[]"
	case n.plain:
		return n.text
	}
	return yamlText(n.text)
}
