package proxy

import (
	"errors"
	"io"
	"sync"
)

// h1BufferSize holds the largest header that this engine takes and what of a body
// comes with it.
const h1BufferSize = 32 << 10

// h1HeaderLimit is where a header is the general engine's. It leaves room for a body.
const h1HeaderLimit = 24 << 10

// h1Buffers lends buffers. A connection has some only while it has something to do.
type h1Buffers struct{ pool sync.Pool }

func (b *h1Buffers) get() []byte {
	if buf, ok := b.pool.Get().(*[h1BufferSize]byte); ok {
		return buf[:]
	}
	return new([h1BufferSize]byte)[:]
}

// put takes a buffer back; none is no matter.
func (b *h1Buffers) put(buf []byte) {
	if buf != nil {
		b.pool.Put((*[h1BufferSize]byte)(buf[:h1BufferSize]))
	}
}

// errH1Full is why no more can be read: the buffer is full of what nobody took.
var errH1Full = errors.New("the buffer is full")

// errH1Dry is why nothing was read that would have had to be waited for.
var errH1Dry = errors.New("nothing is there yet")

// h1Input is what was read from one side and not taken yet: buf[r:w]. What stands
// before base stays where it is: a header that is still referred to.
type h1Input struct {
	src        io.Reader
	buf        []byte
	base, r, w int
	dry        bool // nothing is read
}

func (in *h1Input) buffered() []byte { return in.buf[in.r:in.w] }

// more reads once. After an error it may be called again.
func (in *h1Input) more() error {
	if in.dry {
		return errH1Dry
	}
	if in.r == in.w {
		in.r, in.w = in.base, in.base
	} else if in.w == len(in.buf) && in.r > in.base {
		in.w = in.base + copy(in.buf[in.base:], in.buf[in.r:in.w])
		in.r = in.base
	}
	if in.w == len(in.buf) {
		return errH1Full
	}
	n, err := in.src.Read(in.buf[in.w:])
	in.w += n
	if n > 0 {
		return nil // an error comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// begin makes room for the next header: what is left moves to the front.
func (in *h1Input) begin() {
	in.base = 0
	if in.r > 0 {
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
	}
}

// keep has all that was taken so far stay where it is.
func (in *h1Input) keep() { in.base = in.r }

// compact moves what was not taken to the base.
func (in *h1Input) compact() {
	in.w = in.base + copy(in.buf[in.base:], in.buf[in.r:in.w])
	in.r = in.base
}
