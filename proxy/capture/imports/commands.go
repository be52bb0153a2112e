package imports

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// longestCommand is how many bytes a command line may have.
const longestCommand = 64 << 20

// noAnswer is why a command line's exchange has no answer.
const noAnswer = "no answer is recorded: a command line has none"

// commands reads curl and grpcurl command lines as a shell would, without one: what would
// have to be executed, or is not known here, is an error.
func (s *source) commands() error {
	split := &splitter{in: s.in, most: min(s.Longest, longestCommand)}
	for {
		one, err := split.next()
		if err != nil {
			return atLine(max(split.begun, 1), err)
		}
		if one == nil {
			return nil
		}
		args, err := words(one.text)
		if err != nil {
			return atLine(one.line, err)
		}
		if len(args) == 0 {
			continue
		}
		all, err := s.requestsOf(args)
		if err != nil {
			return atLine(one.line, err)
		}
		for _, x := range all {
			x.Answer.Cut = noAnswer
			if err := s.give(x); err != nil {
				return err
			}
		}
	}
}

// requestsOf are the requests of a command line.
func (s *source) requestsOf(args []string) ([]event.Exchange, error) {
	if args[0] == "$" { // pasted with its prompt
		args = args[1:]
	}
	if len(args) == 0 {
		return nil, nil
	}
	program := args[0][strings.LastIndexByte(args[0], '/')+1:]
	switch program {
	case "curl", "curl.exe":
		return s.curl(args[1:])
	case "grpcurl", "grpcurl.exe":
		x, err := s.grpcurl(args[1:])
		return []event.Exchange{x}, err
	}
	return nil, fmt.Errorf("%.40q is neither curl nor grpcurl, and nothing else is read of command lines", args[0])
}

// words are the words of a command, with their quotes taken away.
func words(text string) (args []string, err error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		var at syntax.ParseError
		if errors.As(err, &at) {
			return nil, errors.New(at.Text)
		}
		return nil, err
	}
	for _, stmt := range file.Stmts {
		call, is := stmt.Cmd.(*syntax.CallExpr)
		if !is || len(call.Assigns) > 0 || stmt.Negated {
			return nil, errors.New("it is no plain curl or grpcurl command line")
		}
		if slices.ContainsFunc(stmt.Redirs, func(r *syntax.Redirect) bool {
			return r.Op != syntax.RdrOut && r.Op != syntax.AppOut && r.Op != syntax.DplOut && r.Op != syntax.RdrAll
		}) {
			return nil, errors.New("what it reads from elsewhere is not read here: put the body into the command line, behind --data")
		}
		for _, word := range call.Args {
			text, err := plain(word)
			if err != nil {
				return nil, err
			}
			args = append(args, text)
		}
	}
	return args, nil
}

// plain is a word's text; a variable's or a command's is not known.
func plain(word *syntax.Word) (string, error) {
	parts := word.Parts
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		switch p := part.(type) {
		case *syntax.Lit, *syntax.SglQuoted:
		case *syntax.DblQuoted:
			parts = slices.Concat(p.Parts, parts)
		case *syntax.ParamExp:
			return "", fmt.Errorf("the value of the variable %q is not known: write it there, or quote with ' what is to be taken as it is", name(p))
		default:
			return "", errors.New("a part of it would have to be executed, which is not done: write there what it gives, or quote it with '")
		}
	}
	return expand.Literal(&expand.Config{}, word)
}

func name(p *syntax.ParamExp) string {
	if p.Param == nil {
		return "?"
	}
	return p.Param.Value
}
