package merlin

import "strings"

// expand replaces $(NAME) by the variable's value. $$ stands for one $, so that
// $$(NAME) gives the text $(NAME). A reference to a name that is not among vars, and
// one that is never closed, is left as it stands.
func expand(text string, vars map[string]string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		replacement, used := reference(rest, vars)
		out.WriteString(replacement)
		text = rest[used:]
	}
}

// reference reads what stands after a $ and returns what replaces both, and how
// much of rest it used.
func reference(rest string, vars map[string]string) (replacement string, used int) {
	if strings.HasPrefix(rest, "$") {
		return "$", 1
	}
	if !strings.HasPrefix(rest, "(") {
		return "$", 0
	}
	end := strings.IndexByte(rest, ')')
	if end < 0 {
		return "$(", 1
	}
	if value, ok := vars[rest[1:end]]; ok {
		return value, end + 1
	}
	return "$" + rest[:end+1], end + 1
}
