package filter

import (
	"strings"
	"unicode"
)

// The kinds of tokens.
type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenAnd
	tokenOr
	tokenNot
	tokenOpen
	tokenClose
	tokenTerm // ~c: its text is the letter
	tokenWord
)

type token struct {
	kind   tokenKind
	text   string
	column int // of its first character, from 1
}

// single are the tokens of one character.
var single = map[rune]tokenKind{'&': tokenAnd, '|': tokenOr, '!': tokenNot, '(': tokenOpen, ')': tokenClose}

// scan cuts a text into tokens; the last is the end. A word ends at a space and at one of
// & | ( ); in quotes, single or double, it may hold them.
func scan(text string) ([]token, error) {
	var tokens []token
	runes := []rune(text)
	for at := 0; at < len(runes); {
		r, column := runes[at], at+1
		kind, isSingle := single[r]
		switch {
		case unicode.IsSpace(r):
			at++
		case isSingle:
			tokens = append(tokens, token{kind, string(r), column})
			at++
		case r == '~':
			if at+1 >= len(runes) || !unicode.IsLetter(runes[at+1]) {
				return nil, &Error{column, "a letter belongs after ~: " + Help}
			}
			tokens = append(tokens, token{tokenTerm, string(runes[at+1]), column})
			at += 2
		case r == '"' || r == '\'':
			end := at + 1
			for end < len(runes) && runes[end] != r {
				end++
			}
			if end == len(runes) {
				return nil, &Error{column, "this quote is not closed"}
			}
			tokens = append(tokens, token{tokenWord, string(runes[at+1 : end]), column})
			at = end + 1
		default:
			end := at
			for end < len(runes) && !unicode.IsSpace(runes[end]) && !strings.ContainsRune("&|()", runes[end]) {
				end++
			}
			tokens = append(tokens, token{tokenWord, string(runes[at:end]), column})
			at = end
		}
	}
	return append(tokens, token{tokenEnd, "", len(runes) + 1}), nil
}
