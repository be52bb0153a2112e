package proxy

import (
	"bytes"
	"slices"
)

// h1Field is one line of a header: its name is canonical, its value trimmed.
type h1Field struct{ name, value []byte }

// h1Class tells for each byte where it may stand.
type h1Class uint8

const (
	h1Token h1Class = 1 << iota // in a name or a method
	h1Value                     // in a value
	h1Path                      // in a path that is its own encoding
	h1Query                     // in a query
	h1Host                      // in a host that needs no second look
)

var h1Classes = h1Classify()

func h1Classify() (classes [256]h1Class) {
	const letters, digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	mark := func(c h1Class, all string) {
		for i := range len(all) {
			classes[all[i]] |= c
		}
	}
	mark(h1Token, letters+digits+"!#$%&'*+-.^_`|~")
	mark(h1Path, letters+digits+"-_.~!$&'()*+,;=:@[]/%")
	mark(h1Host, letters+digits+"-_.:[]")
	for b := range classes {
		if (b >= ' ' && b != 0x7f) || b == '\t' {
			classes[b] |= h1Value
		}
		if b > ' ' && b < 0x7f && b != '#' {
			classes[b] |= h1Query
		}
	}
	return classes
}

func h1All(text []byte, c h1Class) bool {
	for _, b := range text {
		if h1Classes[b]&c == 0 {
			return false
		}
	}
	return true
}

// h1ParseField takes a line without its end apart and makes the name canonical in
// place; false where it is not as strict a line as net/http itself would write.
func h1ParseField(line []byte) (f h1Field, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return f, false
	}
	f.name, f.value = line[:colon], h1Trim(line[colon+1:])
	if !h1All(f.value, h1Value) || !h1All(f.name, h1Token) {
		return f, false
	}
	h1Canonical(f.name)
	return f, true
}

func h1Trim(value []byte) []byte {
	for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	for len(value) > 0 && (value[len(value)-1] == ' ' || value[len(value)-1] == '\t') {
		value = value[:len(value)-1]
	}
	return value
}

// h1Canonical is http.CanonicalHeaderKey in place, of a name that is a token.
func h1Canonical(name []byte) {
	upper := true
	for i, b := range name {
		switch {
		case upper && 'a' <= b && b <= 'z':
			name[i] = b - ('a' - 'A')
		case !upper && 'A' <= b && b <= 'Z':
			name[i] = b + ('a' - 'A')
		}
		upper = b == '-'
	}
}

// h1Sort sorts by name as net/http writes headers; what has one name stays in order.
func h1Sort(fields []h1Field) {
	if len(fields) > 32 {
		slices.SortStableFunc(fields, func(a, b h1Field) int { return bytes.Compare(a.name, b.name) })
		return
	}
	for i := 1; i < len(fields); i++ {
		f := fields[i]
		at := i
		for ; at > 0 && bytes.Compare(f.name, fields[at-1].name) < 0; at-- {
			fields[at] = fields[at-1]
		}
		fields[at] = f
	}
}

// h1First returns the first value of a name.
func h1First(fields []h1Field, name string) (value []byte, ok bool) {
	for _, f := range fields {
		if string(f.name) == name {
			return f.value, true
		}
	}
	return nil, false
}

// h1Without removes a name.
func h1Without(fields []h1Field, name string) []h1Field {
	return slices.DeleteFunc(fields, func(f h1Field) bool { return string(f.name) == name })
}

func h1Append(out []byte, name, value string) []byte {
	out = append(append(out, name...), ": "...)
	return append(append(out, value...), "\r\n"...)
}

func h1AppendFields(out []byte, fields []h1Field) []byte {
	for _, f := range fields {
		out = f.append(out)
	}
	return out
}

// h1Lines is a whole header without its first line and the empty one at its end.
func h1Lines(header []byte) []byte {
	return header[bytes.IndexByte(header, '\n')+1 : len(header)-2]
}

func (f h1Field) append(out []byte) []byte {
	out = append(append(out, f.name...), ": "...)
	return append(append(out, f.value...), "\r\n"...)
}

// h1Digits reads a length that is nothing but digits; false where it is not, or is
// longer than anyone means.
func h1Digits(text []byte) (n int64, ok bool) {
	if len(text) == 0 || len(text) > 18 {
		return 0, false
	}
	for _, b := range text {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = n*10 + int64(b-'0')
	}
	return n, true
}

// h1Equal compares with a lower-case text, without case.
func h1Equal(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, b := range text {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b != lower[i] {
			return false
		}
	}
	return true
}
