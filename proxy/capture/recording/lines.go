package recording

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
)

// DefaultLongest is how many bytes a line may have where nothing else is given.
const DefaultLongest = 1 << 30

// readAhead is what is read of a file at a time.
const readAhead = 64 << 10

// largeBuffer is how large a line's memory may be to be used again for the next one.
const largeBuffer = 4 << 20

// Plain returns what is to be read of a file that may be compressed by gzip, which its
// first bytes tell.
func Plain(r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, readAhead)
	if magic, _ := in.Peek(2); string(magic) != "\x1f\x8b" {
		return in, nil
	}
	unpack, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("unpack it: %w", err)
	}
	return bufio.NewReaderSize(unpack, readAhead), nil
}

// Line is one line of a file.
type Line struct {
	Number int    // from 1
	Text   []byte // without its end; good until the next line
	Ended  bool   // by a newline: the file's last line may not be
}

// Lines yields the lines of a file; one longer than that ends them with a LineError, as
// does what cannot be read.
func Lines(in *bufio.Reader, longest int) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		var buffer []byte
		for number := 1; ; number++ {
			if cap(buffer) > largeBuffer {
				buffer = nil
			}
			text, err := next(in, buffer[:0], longest)
			buffer = text
			if err != nil && !errors.Is(err, io.EOF) {
				yield(Line{Number: number}, &LineError{number, err})
				return
			}
			ended := err == nil
			if !ended && len(text) == 0 {
				return
			}
			if !yield(Line{number, text, ended}, nil) || !ended {
				return
			}
		}
	}
}

// next appends the next line, without its end; io.EOF says that it had none.
func next(in *bufio.Reader, line []byte, longest int) ([]byte, error) {
	for {
		piece, err := in.ReadSlice('\n')
		if err == nil {
			piece = piece[:len(piece)-1]
		}
		if len(line)+len(piece) > longest {
			return line, fmt.Errorf("it is longer than %d bytes", longest)
		}
		line = append(line, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
