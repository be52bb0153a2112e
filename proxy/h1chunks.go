package proxy

import (
	"bytes"
	"io"
)

// h1Phase is what comes next of a chunked body.
type h1Phase int

const (
	h1Size    h1Phase = iota // a chunk's first line comes
	h1Data                   // its data
	h1DataEnd                // and the end of line behind that
	h1Trailer                // the lines behind the last chunk
)

// chunk returns the next piece of a chunked body.
func (b *h1Body) chunk() ([]byte, error) {
	for {
		switch b.phase {
		case h1Size:
			if err := b.size(); err != nil {
				return nil, err
			}
		case h1Data:
			return b.data()
		case h1DataEnd:
			if err := b.dataEnd(); err != nil {
				return nil, err
			}
		case h1Trailer:
			end, err := b.trailer()
			if err != nil {
				return nil, err
			}
			if end {
				b.whole = true
				return nil, io.EOF
			}
		}
	}
}

// line takes a line that ends in CR LF.
func (b *h1Body) line() ([]byte, error) {
	for {
		seen := b.in.buffered()
		n := bytes.IndexByte(seen, '\n')
		switch {
		case n > 0 && n < h1LineLimit && seen[n-1] == '\r':
			b.in.r += n + 1
			return seen[:n-1], nil
		case n >= 0:
			return nil, errH1Chunk
		case len(seen) >= h1LineLimit:
			return nil, errH1Line
		}
		if err := b.in.more(); err != nil {
			return nil, b.ended(err)
		}
	}
}

func (b *h1Body) size() error {
	line, err := b.line()
	if err != nil {
		return err
	}
	if bytes.IndexByte(line, '\r') >= 0 {
		return errH1Chunk
	}
	overhead := int64(len(line) + 2)
	digits, _, _ := bytes.Cut(h1TrimRight(line), []byte(";"))
	n, ok := h1ParseHex(digits)
	if !ok {
		return errH1Size
	}
	// A chunk of no sense costs its sender as much as it costs who reads it.
	if b.excess = max(b.excess+overhead-16-2*n, 0); b.excess > h1ExcessLimit {
		return errH1Excess
	}
	b.left, b.phase = n, h1Data
	if n == 0 {
		b.phase = h1Trailer
	}
	return nil
}

func h1ParseHex(digits []byte) (n int64, ok bool) {
	if len(digits) == 0 || len(digits) > 16 {
		return 0, false
	}
	for _, d := range digits {
		if !h1IsHex(d) || n >= 1<<58 {
			return 0, false
		}
		n = n<<4 | int64(h1Hex(d))
	}
	return n, true
}

func h1TrimRight(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

func h1Hex(d byte) byte {
	switch {
	case d >= 'a':
		return d - 'a' + 10
	case d >= 'A':
		return d - 'A' + 10
	default:
		return d - '0'
	}
}

func (b *h1Body) data() ([]byte, error) {
	if len(b.in.buffered()) == 0 {
		if err := b.in.more(); err != nil {
			return nil, b.ended(err)
		}
	}
	piece := b.in.buffered()
	piece = piece[:min(int64(len(piece)), b.left)]
	b.in.r += len(piece)
	if b.left -= int64(len(piece)); b.left == 0 {
		b.phase = h1DataEnd
	}
	return piece, nil
}

func (b *h1Body) dataEnd() error {
	for {
		seen := b.in.buffered()
		if (len(seen) > 0 && seen[0] != '\r') || (len(seen) > 1 && seen[1] != '\n') {
			return errH1Chunk
		}
		if len(seen) > 1 {
			b.in.r += 2
			b.phase = h1Size
			return nil
		}
		if err := b.in.more(); err != nil {
			return b.ended(err)
		}
	}
}

// trailer takes a line behind the last chunk; end is the empty one. The lines stay in
// the buffer, and are bounded with it.
func (b *h1Body) trailer() (end bool, err error) {
	if len(b.trailers) == 0 && b.in.base < b.in.r {
		b.in.compact()
	}
	line, err := b.line()
	if err != nil || len(line) == 0 {
		return err == nil, err
	}
	f, ok := h1ParseField(line)
	if !ok {
		return false, errH1Trailer
	}
	b.trailers = append(b.trailers, f)
	b.in.keep()
	return false, nil
}
