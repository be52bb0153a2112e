package pins

import "bytes"

// wide is how long a line may be on which a whole object or array stands.
const wide = 110

// pretty appends compact JSON in lines: what is short stands on one, so that a vector is not a
// page. Tokens stay as they are.
func pretty(out, in []byte, indent int) []byte {
	if len(in) < 2 || in[0] != '{' && in[0] != '[' || indent > 0 && indent+len(in) <= wide {
		return append(out, spacedOut(in)...)
	}
	inner := append([]byte{'\n'}, bytes.Repeat([]byte(" "), indent+2)...)
	out = append(out, in[0])
	for i, part := range parts(in[1 : len(in)-1]) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, inner...)
		if in[0] == '{' {
			at := nameEnd(part)
			out = append(append(out, part[:at]...), ": "...)
			part = part[at+1:]
		}
		out = pretty(out, part, indent+2)
	}
	return append(append(out, inner[:len(inner)-2]...), in[len(in)-1])
}

// spacedOut is what stands on one line.
func spacedOut(in []byte) []byte {
	if in[0] == '{' || in[0] == '[' {
		return spaced(in)
	}
	return in
}

// parts are the elements or members between two brackets.
func parts(in []byte) [][]byte {
	var all [][]byte
	depth, begin, quoted := 0, 0, false
	for i := 0; i < len(in); i++ {
		switch c := in[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth == 0:
			all = append(all, in[begin:i])
			begin = i + 1
		}
	}
	if begin < len(in) {
		all = append(all, in[begin:])
	}
	return all
}

// nameEnd is where the colon behind a member's name is.
func nameEnd(member []byte) int {
	for i := 1; i < len(member); i++ {
		switch member[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(member) - 1
}
