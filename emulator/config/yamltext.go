package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// yamlText writes a text so that every reader takes it for the same text: without
// quotes only where no version of YAML could see anything else in it.
func yamlText(text string) string {
	if plainText(text) {
		return text
	}
	return quoted(text)
}

// plainText holds for words without spaces that start with a letter, for paths, and
// for quantities such as 500m. What starts with a digit may be a number, a time or a
// date; some words are booleans or null.
func plainText(text string) bool {
	if regexp.MustCompile(`^[0-9]{1,18}(m|[KMGTPE]i)$`).MatchString(text) {
		return true
	}
	words := []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
	return regexp.MustCompile(`^[A-Za-z_/][-A-Za-z0-9_./:@$()+=]*$`).MatchString(text) &&
		!strings.HasSuffix(text, ":") && !slices.Contains(words, strings.ToLower(text))
}

// quoted is the text between double quotes, on one line, with an escape for all that
// is not printed.
func quoted(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteString(`\` + string(r))
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\t':
			out.WriteString(`\t`)
		case unicode.IsPrint(r):
			out.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&out, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	out.WriteByte('"')
	return out.String()
}
