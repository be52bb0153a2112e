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
)

// requestSource is a file of recorded requests, which is read anew each time that they are asked for.
type requestSource struct {
	name string
	size int64 // in bytes; 0 where it is not known
	once bool  // it cannot be read a second time
	read atomic.Int64

	stream func() io.Reader // nil for a file
	close  func()
}

// findRequests finds the file, or standard input for "-".
func findRequests(path string, stdin io.Reader) (*requestSource, error) {
	if path == "-" {
		return streamed("standard input", func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil }), nil
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
	if !info.Mode().IsRegular() {
		return streamed(path, func() (io.ReadCloser, error) { return os.Open(path) }), nil
	}
	return &requestSource{name: path, size: info.Size(), close: func() {}}, nil
}

// streamed are requests that come from elsewhere, a pipe for instance. A read there cannot
// be ended from outside: one that waits when the source is closed ends with the program.
func streamed(name string, open func() (io.ReadCloser, error)) *requestSource {
	from, to := io.Pipe()
	copying := func() {
		file, err := open()
		if err == nil {
			_, err = io.Copy(to, file)
			err = errors.Join(err, file.Close())
		}
		to.CloseWithError(err)
	}
	begin := sync.OnceFunc(func() { go copying() })
	return &requestSource{
		name: name, once: true, close: func() { _ = from.Close() },
		stream: func() io.Reader { begin(); return from },
	}
}

// requests are those of the file, from its beginning.
func (s *requestSource) requests() iter.Seq2[event.Exchange, error] {
	return func(yield func(event.Exchange, error) bool) {
		from, done, err := s.open()
		if err != nil {
			yield(event.Exchange{}, err)
			return
		}
		defer done()
		for x, err := range exchangesIn(&countingReader{from, &s.read}) {
			if !yield(x, err) {
				return
			}
		}
	}
}

// open gives what is to be read, and what to call then.
func (s *requestSource) open() (from io.Reader, done func(), err error) {
	if s.stream != nil {
		return s.stream(), func() {}, nil
	}
	file, err := os.Open(s.name)
	if err != nil {
		return nil, nil, err
	}
	// What a session adds meanwhile may be what is just being sent.
	return io.LimitReader(file, s.size), func() { _ = file.Close() }, nil
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
