package proxy

import (
	"slices"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2Blocks takes in the header blocks of one connection: it decodes them as their
// frames come, within bounds.
type h2Blocks struct {
	decoder *hpack.Decoder
	most    int // size of a list, as HTTP/2 counts it
	fields  []hpack.HeaderField
	left    int // of most, in the block that is decoded

	joining uint32 // the stream whose block is not complete; 0 where none is
	ends    bool   // that stream, behind the block
}

func (b *h2Blocks) init(most int) {
	b.most = most
	b.decoder = hpack.NewDecoder(4096, func(f hpack.HeaderField) {
		if b.left -= int(f.Size()); b.left >= 0 {
			b.fields = append(b.fields, f)
		}
	})
	b.decoder.SetMaxStringLength(most)
}

// h2Block is a complete header block.
type h2Block struct {
	stream   uint32
	ends     bool // the stream
	tooLarge bool // fields are not all
	fields   []hpack.HeaderField
}

// begin takes a HEADERS frame; ok is false where its block goes on.
func (b *h2Blocks) begin(f h2Frame) (block h2Block, ok bool, err error) {
	if f.stream == 0 {
		return block, false, http2.ConnectionError(http2.ErrCodeProtocol)
	}
	p, err := f.body()
	if err != nil {
		return block, false, err
	}
	b.joining, b.ends = f.stream, f.ends()
	b.fields, b.left = b.fields[:0], b.most
	return b.decode(p, f.flags.Has(http2.FlagHeadersEndHeaders))
}

// join takes a frame behind an incomplete block, which has to be its CONTINUATION.
func (b *h2Blocks) join(f h2Frame) (block h2Block, ok bool, err error) {
	if f.kind != http2.FrameContinuation || f.stream != b.joining {
		return block, false, http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return b.decode(f.payload, f.flags.Has(http2.FlagContinuationEndHeaders))
}

// decode takes a part of a block. A list that is only somewhat too large is read to
// its end, so that it can be answered.
func (b *h2Blocks) decode(p []byte, last bool) (block h2Block, ok bool, err error) {
	_, err = b.decoder.Write(p)
	if err == nil && last {
		err = b.decoder.Close()
	}
	switch {
	case err != nil:
		return block, false, http2.ConnectionError(http2.ErrCodeCompression)
	case b.left < -b.most:
		return block, false, http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	case !last:
		return block, false, nil
	}
	block = h2Block{stream: b.joining, ends: b.ends, tooLarge: b.left < 0, fields: b.fields}
	b.joining = 0
	return block, true, nil
}

// h2Appender has an encoder append to its wire's output.
type h2Appender struct{ w *h2Wire }

func (a h2Appender) Write(p []byte) (int, error) {
	a.w.out = append(a.w.out, p...)
	return len(p), nil
}

// beginBlock begins a HEADERS frame; fields and endBlock must follow. On a broken
// wire it returns false.
func (w *h2Wire) beginBlock() (at int, ok bool) {
	if w.broken {
		return 0, false
	}
	w.lend()
	at = len(w.out)
	w.out = h2Append(w.out, 0, http2.FrameHeaders, http2.FlagHeadersEndHeaders, 0)
	return at, true
}

// field adds a field. What is another in every request is kept out of the table of
// those that repeat.
func (w *h2Wire) field(f hpack.HeaderField) {
	if !h2Varies(f.Name) || f.Sensitive {
		_ = w.encoder.WriteField(f)
		return
	}
	w.out = append(w.out, 0) // a literal without indexing, with a literal name
	w.out = h2AppendString(h2AppendString(w.out, f.Name), f.Value)
}

func (w *h2Wire) pair(name, value string) { w.field(hpack.HeaderField{Name: name, Value: value}) }

func h2Varies(name string) bool {
	switch name {
	case "grpc-timeout", "content-length", "traceparent", "x-request-id", "x-b3-traceid", "x-b3-spanid":
		return true
	}
	return false
}

func h2AppendString(out []byte, s string) []byte {
	n := len(s)
	if n < 127 {
		return append(append(out, byte(n)), s...)
	}
	out = append(out, 127)
	for n -= 127; n >= 128; n >>= 7 {
		out = append(out, byte(n)|128)
	}
	return append(append(out, byte(n)), s...)
}

// endBlock completes the frame that began at that place, in several where it is too
// long for one.
func (w *h2Wire) endBlock(at int, stream uint32, ends bool) {
	flags := http2.FlagHeadersEndHeaders
	if ends {
		flags |= http2.FlagHeadersEndStream
	}
	length := len(w.out) - at - h2HeaderLen
	if length <= h2FrameMost {
		h2Append(w.out[:at], length, http2.FrameHeaders, flags, stream)
		return
	}
	block := slices.Clone(w.out[at+h2HeaderLen:])
	w.out = w.out[:at]
	kind := http2.FrameHeaders
	flags &^= http2.FlagHeadersEndHeaders
	for len(block) > h2FrameMost {
		w.append(kind, flags, stream, block[:h2FrameMost])
		block, kind, flags = block[h2FrameMost:], http2.FrameContinuation, 0
	}
	w.append(kind, http2.FlagContinuationEndHeaders, stream, block)
}
