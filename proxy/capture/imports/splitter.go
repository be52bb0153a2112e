package imports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// splitter takes a file of command lines apart into single commands, so that the shell's
// parser sees no more than words and quotes: what nests could exhaust its stack. What
// follows behind a | is of another program, and is left out.
type splitter struct {
	in   *bufio.Reader
	most int

	line  int // that the next byte is in, from 0
	begun int // the line of the command that is read
	text  []byte
	quote byte // ' or ", or $ for $'
	piped bool // this command is behind a |
	ended bool
}

// single is one command.
type single struct {
	text string
	line int
}

var errNested = errors.New("a part of it would have to be executed, which is not done: write there what it gives, or quote it with '")

// next returns the next command that is read; nil behind the last.
func (s *splitter) next() (*single, error) {
	for !s.ended {
		piped := s.piped
		s.text, s.piped, s.begun = s.text[:0], false, 0
		if err := s.command(); err != nil {
			return nil, err
		}
		if s.begun > 0 && !piped {
			return &single{string(s.text), s.begun}, nil
		}
		s.piped = s.piped || piped && !s.ended && s.begun == 0 // the | was the line's last
	}
	return nil, nil
}

// command reads up to the end of one.
func (s *splitter) command() error {
	for {
		c, err := s.byte()
		if errors.Is(err, io.EOF) {
			s.ended = true
			return s.unclosed()
		}
		if err != nil {
			return err
		}
		over, err := s.take(c)
		if err != nil || over {
			return err
		}
		if len(s.text) > s.most {
			return fmt.Errorf("it is longer than %d bytes", s.most)
		}
	}
}

func (s *splitter) unclosed() error {
	if s.quote != 0 {
		return errors.New("the file ends within a quote that begins in it")
	}
	return nil
}

func (s *splitter) byte() (byte, error) {
	c, err := s.in.ReadByte()
	if c == '\n' && err == nil {
		s.line++
	}
	return c, err
}

// peek is the next byte; 0 at the end.
func (s *splitter) peek() byte {
	if next, err := s.in.Peek(1); err == nil {
		return next[0]
	}
	return 0
}

// take takes a byte; over tells that the command has ended with it.
func (s *splitter) take(c byte) (over bool, err error) {
	switch {
	case c == 0:
		return false, errors.New("it has a NUL byte, which no command line can have")
	case s.quote != 0:
		return false, s.quoted(c)
	case c == '\\':
		return false, s.escaped(c)
	case c == '\'' || c == '"':
		if s.quote = c; c == '\'' && len(s.text) > 0 && s.text[len(s.text)-1] == '$' {
			s.quote = '$'
		}
	case c == '`' || c == '(' || c == ')':
		return false, errNested
	case c == '$' && s.peek() == '{':
		return false, errors.New("the values of variables are not known: write them there, or quote with ' what is to be taken as it is")
	case c == '#' && (len(s.text) == 0 || blank(s.text[len(s.text)-1])):
		return false, s.comment()
	case c == '\n' || c == ';':
		return s.begun > 0 || s.piped, nil
	case c == '|' || c == '&':
		return s.joined(c)
	}
	s.put(c)
	return false, nil
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// put keeps a byte; white space in front of a command is none of it.
func (s *splitter) put(c byte) {
	if c == '\r' && s.quote == 0 && s.peek() == '\n' {
		return
	}
	if s.begun == 0 {
		if blank(c) {
			return
		}
		s.begun = s.line + 1
	}
	s.text = append(s.text, c)
}

// quoted takes a byte within quotes.
func (s *splitter) quoted(c byte) error {
	switch {
	case c == '\\' && s.quote != '\'':
		return s.escaped(c)
	case s.quote == '"' && (c == '`' || c == '$' && (s.peek() == '(' || s.peek() == '{')):
		return errNested
	}
	s.put(c)
	if c == '\n' && s.begun == s.line+1 {
		s.begun = s.line
	}
	if c == s.quote || c == '\'' && s.quote == '$' {
		s.quote = 0
	}
	return nil
}

// escaped takes a backslash and what is behind it: outside of quotes a line goes on
// behind one at its end.
func (s *splitter) escaped(c byte) error {
	next, err := s.byte()
	if err != nil {
		return errors.New("the file ends in a \\")
	}
	if next == '\r' && s.peek() == '\n' && s.quote != '$' {
		next, err = s.byte()
	}
	if err != nil || next == 0 {
		return errors.New("a \\ stands before what no command line can have")
	}
	if next == '\n' && s.quote == 0 {
		if s.begun > 0 {
			s.text = append(s.text, ' ')
		}
		return nil
	}
	s.put(c)
	s.text = append(s.text, next)
	return nil
}

// comment passes over the rest of a line.
func (s *splitter) comment() error {
	for next := s.peek(); next != 0 && next != '\n'; next = s.peek() {
		if _, err := s.byte(); err != nil {
			return err
		}
	}
	return nil
}

// joined takes what joins two commands; >& and &> are no such thing.
func (s *splitter) joined(c byte) (over bool, err error) {
	last := byte(0)
	if len(s.text) > 0 {
		last = s.text[len(s.text)-1]
	}
	if c == '&' && (last == '>' || s.peek() == '>') {
		s.put(c)
		return false, nil
	}
	if s.peek() == c {
		_, err := s.byte()
		return true, err
	}
	s.piped = c == '|'
	return true, nil
}
