package compare

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what a value is.
type kind uint8

const (
	null kind = iota
	truth
	text
	integer
	float
	list
	object
)

func (k kind) String() string {
	return [...]string{"null", "a truth value", "a text", "an integer", "a float", "an array", "an object"}[k]
}

// value is a value of JSON, or of a UPI message in the same form.
type value struct {
	kind kind
	// text is a text's content, and a number, true or false as it is written.
	text string
	// items are the elements of an array, or the values of an object's members, whose names
	// are beside them, in their order; a name may come twice.
	items []value
	names []string
}

func (v *value) number() bool { return v.kind == integer || v.kind == float }

// member puts a member behind the others.
func (v *value) member(name string, m value) {
	v.names = append(v.names, name)
	v.items = append(v.items, m)
}

// short is a value as JSON, of which no more is made than is shown.
func (v *value) short() string {
	var b strings.Builder
	v.write(&b)
	return b.String()
}

func (v *value) write(b *strings.Builder) {
	if b.Len() > shown {
		return
	}
	switch v.kind {
	case null:
		b.WriteString("null")
	case text:
		b.WriteString(quoted(v.text))
	case list, object:
		v.writeAll(b)
	default:
		b.WriteString(v.text)
	}
}

func (v *value) writeAll(b *strings.Builder) {
	brackets := "[]"
	if v.kind == object {
		brackets = "{}"
	}
	b.WriteByte(brackets[0])
	for i := range v.items {
		if b.Len() > shown {
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		if v.kind == object {
			b.WriteString(quoted(v.names[i]) + ": ")
		}
		v.items[i].write(b)
	}
	b.WriteByte(brackets[1])
}

// quoted is a text in quotes, of which no more is quoted than is shown.
func quoted(s string) string {
	if len(s) > shown {
		return strconv.Quote(strings.ToValidUTF8(s[:shown], "")) + "… and " + strconv.Itoa(len(s)-shown) + " bytes more"
	}
	if !utf8.ValidString(s) {
		return strconv.QuoteToASCII(s)
	}
	return strconv.Quote(s)
}

// pathOf writes a place; a name that could be read as several steps is in quotes.
func pathOf(place []string) string {
	if len(place) == 0 {
		return "body"
	}
	var b strings.Builder
	for i, step := range place {
		if i > 0 {
			b.WriteByte('.')
		}
		if step == "" || strings.ContainsAny(step, ". \"\n\r\t\x1b") || len(step) > shown {
			step = quoted(step)
		}
		b.WriteString(step)
	}
	return b.String()
}
