package config

import (
	"strings"

	"github.com/goccy/go-yaml/token"
)

// checkEscapes refuses \x, \u and \U without their hexadecimal digits: the parser
// makes some other letter of them, and "C:\users" would silently be another folder.
func (r *reader) checkEscapes(tk *token.Token) {
	at := placeOf(tk)
	if tk.Type != token.DoubleQuoteType || at.line > len(r.lines) {
		return
	}
	line := []rune(r.lines[at.line-1])
	if at.column > len(line) || line[at.column-1] != '"' {
		return
	}
	for i := at.column; i+1 < len(line) && line[i] != '"'; i++ {
		if line[i] != '\\' {
			continue
		}
		i++
		if digits := hexDigits(line[i]); !startsWithHex(line[i+1:], digits) {
			r.report.add(place{line: at.line, column: i}, "",
				`\%c in "…" wants %d hexadecimal digits: write \\%c, or put the text in '…'`, line[i], digits, line[i])
		}
	}
}

func hexDigits(escape rune) int {
	switch escape {
	case 'x':
		return 2
	case 'u':
		return 4
	case 'U':
		return 8
	}
	return 0
}

func startsWithHex(text []rune, digits int) bool {
	if len(text) < digits {
		return false
	}
	return strings.Trim(string(text[:digits]), "0123456789abcdefABCDEF") == ""
}
