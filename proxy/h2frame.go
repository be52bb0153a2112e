package proxy

import (
	"encoding/binary"
	"net"

	"golang.org/x/net/http2"
)

const (
	h2HeaderLen = 9
	// h2FrameMost is the protocol's own default, which nobody may refuse: frames
	// that were taken from one side never have to be cut for the other.
	h2FrameMost = 16 << 10
	h2WindowAt0 = 65_535 // of a connection, and of its streams, where nothing else was said
	h2WindowMax = 1<<31 - 1
)

// h2Frame is a frame as it came. Its payload is valid until the next one is read.
type h2Frame struct {
	kind    http2.FrameType
	flags   http2.Flags
	stream  uint32
	payload []byte
}

// h2Append appends a frame's header.
func h2Append(out []byte, length int, kind http2.FrameType, flags http2.Flags, stream uint32) []byte {
	out = append(out, byte(length>>16), byte(length>>8), byte(length), byte(kind), byte(flags))
	return binary.BigEndian.AppendUint32(out, stream)
}

// body returns the payload without padding, and without the priority of a HEADERS
// frame, which has no meaning any more.
func (f h2Frame) body() ([]byte, error) {
	p, pad := f.payload, 0
	if f.flags.Has(http2.FlagDataPadded) {
		if len(p) == 0 {
			return nil, http2.ConnectionError(http2.ErrCodeFrameSize)
		}
		p, pad = p[1:], int(p[0])
	}
	if f.kind == http2.FrameHeaders && f.flags.Has(http2.FlagHeadersPriority) {
		if len(p) < 5 {
			return nil, http2.ConnectionError(http2.ErrCodeFrameSize)
		}
		p = p[5:]
	}
	if pad > len(p) {
		return nil, http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return p[:len(p)-pad], nil
}

func (f h2Frame) ends() bool { return f.flags.Has(http2.FlagDataEndStream) }

// h2Reader reads frames. While nothing runs on a connection it keeps no buffer but
// a small one, so that an idle connection costs little.
type h2Reader struct {
	conn     net.Conn
	buffers  *h2Buffers
	buf      []byte
	from, to int
	large    *[h2ReadLarge]byte // buf's, where it is not small
	small    [h2ReadSmall]byte
}

const (
	h2ReadSmall = 512
	h2ReadLarge = 64 << 10 // more than a frame
)

// frame takes the next frame from what was read; ok is false where it is not whole.
func (r *h2Reader) frame() (f h2Frame, ok bool, err error) {
	p := r.buf[r.from:r.to]
	if len(p) < h2HeaderLen {
		return f, false, nil
	}
	length := int(p[0])<<16 | int(p[1])<<8 | int(p[2])
	if length > h2FrameMost {
		return f, false, http2.ErrFrameTooLarge
	}
	if len(p) < h2HeaderLen+length {
		return f, false, nil
	}
	r.from += h2HeaderLen + length
	return h2Frame{
		kind:    http2.FrameType(p[3]),
		flags:   http2.Flags(p[4]),
		stream:  binary.BigEndian.Uint32(p[5:]) & h2WindowMax,
		payload: p[h2HeaderLen : h2HeaderLen+length],
	}, true, nil
}

// partHeader tells whether a part of a header has been read, or of what may be one.
func (r *h2Reader) partHeader() bool {
	p := r.buf[r.from:r.to]
	return len(p) > 0 && (len(p) < 4 || http2.FrameType(p[3]) == http2.FrameHeaders)
}

// fill reads more. What frame returned before is invalid then.
func (r *h2Reader) fill(idle bool) error {
	left := copy(r.buf, r.buf[r.from:r.to])
	r.from, r.to = 0, left
	switch {
	case idle && left == 0:
		r.shrink()
	case r.large == nil:
		r.grow()
	}
	n, err := r.conn.Read(r.buf[r.to:])
	if r.to += n; n > 0 {
		return nil
	}
	return err
}

func (r *h2Reader) grow() {
	r.large = r.buffers.reading.Get().(*[h2ReadLarge]byte)
	r.to = copy(r.large[:], r.buf[:r.to])
	r.buf = r.large[:]
}

func (r *h2Reader) shrink() {
	r.from, r.to, r.buf = 0, 0, r.small[:]
	if r.large != nil {
		r.buffers.reading.Put(r.large)
		r.large = nil
	}
}
