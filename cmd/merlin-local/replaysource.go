package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"sync"
	"sync/atomic"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/recording"
)

// requestSource is a file of recorded requests, which is read anew each time that they are asked for.
type requestSource struct {
	name string
	size int64 // in bytes; 0 where it is not known
	once bool  // it cannot be read a second time
	read atomic.Int64

	stdin io.Reader
	close func()
}

// findRequests finds the file, or standard input for "-".
func findRequests(path string, stdin io.Reader) (*requestSource, error) {
	if path == "-" {
		s := &requestSource{name: "standard input", once: true, stdin: stdin, close: func() {}}
		if file, is := stdin.(*os.File); is {
			s.close = sync.OnceFunc(func() { _ = file.Close() })
		}
		return s, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError{fmt.Errorf("%s is not there: up --record FILE writes one", path)}
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, usageError{fmt.Errorf("%s is a folder: give a file of requests", path)}
	}
	s := &requestSource{name: path, once: !info.Mode().IsRegular(), close: func() {}}
	if info.Mode().IsRegular() {
		s.size = info.Size()
	}
	return s, nil
}

// requests are those of the file, from its beginning.
func (s *requestSource) requests() iter.Seq2[event.Exchange, error] {
	return func(yield func(event.Exchange, error) bool) {
		from := s.stdin
		if from == nil {
			file, err := os.Open(s.name)
			if err != nil {
				yield(event.Exchange{}, err)
				return
			}
			defer file.Close()
			from = file
			if s.size > 0 { // what a session adds meanwhile may be what is just being sent
				from = io.LimitReader(file, s.size)
			}
		}
		for x, err := range recording.Read(&countingReader{from, &s.read}) {
			if !yield(x, err) {
				return
			}
		}
	}
}

// countingReader counts what is read.
type countingReader struct {
	io.Reader
	n *atomic.Int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n.Add(int64(n))
	return n, err
}
