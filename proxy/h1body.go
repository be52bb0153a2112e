package proxy

import (
	"errors"
	"io"
)

// h1Body reads a body from an input, piece by piece, without copying it. After an
// error that passes, as a deadline's, it can be asked again.
type h1Body struct {
	in       *h1Input
	framing  h1Framing
	left     int64 // of the body, or of the chunk
	excess   int64 // what chunks have besides data
	phase    h1Phase
	trailers []h1Field
	res      io.Reader // in place of in
	whole    bool
	bad      error // it was malformed, and stays so
}

type h1Framing int

const (
	h1None h1Framing = iota
	h1Sized
	h1InChunks
	h1UntilClose
	h1Decoded // by net/http
)

// The limits are net/http's own.
const (
	h1LineLimit    = 4096
	h1ExcessLimit  = 16 << 10
	h1DiscardLimit = 256 << 10
)

var (
	errH1Chunk   = errors.New("malformed chunked encoding")
	errH1Excess  = errors.New("chunked encoding contains too much non-data")
	errH1Size    = errors.New("invalid byte in chunk length")
	errH1Line    = errors.New("header line too long")
	errH1Trailer = errors.New("malformed trailer")
)

// h1IsMalformed tells an error of a body itself from one of its connection.
func h1IsMalformed(err error) bool {
	switch {
	case errors.Is(err, errH1Chunk), errors.Is(err, errH1Excess), errors.Is(err, errH1Size),
		errors.Is(err, errH1Line), errors.Is(err, errH1Trailer), errors.Is(err, errH1Full):
		return true
	}
	return false
}

// set begins a body; length is h1Chunked where it tells its own.
func (b *h1Body) set(in *h1Input, length int64) {
	*b = h1Body{in: in, framing: h1Sized, left: length, trailers: b.trailers[:0]}
	switch {
	case length == 0:
		b.framing, b.whole = h1None, true
	case length == h1Chunked:
		b.framing, b.left = h1InChunks, 0
	}
}

// next returns the next piece, which is good until it is asked again, and io.EOF
// behind the last. A body that breaks off is io.ErrUnexpectedEOF.
func (b *h1Body) next() ([]byte, error) {
	switch {
	case b.bad != nil:
		return nil, b.bad
	case b.whole:
		return nil, io.EOF
	}
	switch b.framing {
	case h1InChunks:
		piece, err := b.chunk()
		if h1IsMalformed(err) {
			b.bad = err
		}
		return piece, err
	case h1Decoded:
		return b.decoded()
	}
	if len(b.in.buffered()) == 0 {
		if err := b.in.more(); err != nil {
			return nil, b.ended(err)
		}
	}
	piece := b.in.buffered()
	if b.framing == h1Sized {
		piece = piece[:min(int64(len(piece)), b.left)]
		b.left -= int64(len(piece))
		b.whole = b.left == 0
	}
	b.in.r += len(piece)
	return piece, nil
}

// ready is next where that needs not be waited for; else errH1Dry.
func (b *h1Body) ready() ([]byte, error) {
	if b.framing == h1Decoded {
		return nil, errH1Dry
	}
	b.in.dry = true
	defer func() { b.in.dry = false }()
	return b.next()
}

func (b *h1Body) ended(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if b.framing == h1UntilClose {
		b.whole = true
		return io.EOF
	}
	return io.ErrUnexpectedEOF
}

func (b *h1Body) decoded() ([]byte, error) {
	n, err := b.res.Read(b.in.buf)
	switch {
	case n > 0:
		return b.in.buf[:n], nil
	case errors.Is(err, io.EOF):
		b.whole = true
	}
	return nil, err
}
