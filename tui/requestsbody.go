package tui

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// The bounds of what is drawn of one body. The export has all of it.
const (
	shownBody = 512 << 10 // bytes of JSON and text
	shownHex  = 16 << 10  // bytes of what is neither
	unpacked  = 4 << 20   // bytes that are read of a compressed body or a message
)

// header is the value of a message's field of that name; empty where it has none.
func header(fields []event.Field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// isGRPC tells whether a message's body is of gRPC's frames.
func isGRPC(m *event.Message) bool {
	kind, _, _ := strings.Cut(header(m.Header, "content-type"), ";")
	return kind == "application/grpc" || strings.HasPrefix(kind, "application/grpc+")
}

// lacks tells whether not all of a body is there.
func lacks(m *event.Message) bool { return int64(len(m.Body)) < m.Size }

// body writes a message's body so that a person can read it: JSON laid out, UPI's tables
// as tables, other messages of gRPC whose type is known as JSON, text as it is, and what
// is none of that in hexadecimal digits. method is gRPC's, "/package.Service/Method".
func (d *document) body(m *event.Message, method string, isRequest bool) {
	if m.Cut != "" {
		d.line(toneWarn, m.Cut)
	}
	switch {
	case len(m.Body) == 0 && m.Size == 0 && m.Cut == "":
		d.line(toneFaint, "no body")
	case len(m.Body) == 0:
	case isGRPC(m):
		d.grpc(m, method, isRequest)
	default:
		plain, coding, err := unpack(m)
		switch {
		case err != nil:
			d.line(toneWarn, fmt.Sprintf("%s, which cannot be unpacked: %v", coding, err))
		case coding != "":
			d.line(toneFaint, fmt.Sprintf("%s: %s on the wire, %s unpacked", coding, size(int64(len(m.Body))), size(int64(len(plain)))))
		}
		d.content(plain, lacks(m))
	}
}

// content writes bytes as JSON, text or hexadecimal digits; cut tells that their end is
// missing.
func (d *document) content(b []byte, cut bool) {
	all := len(b)
	if all > shownBody {
		b, cut = b[:shownBody], true
	}
	switch {
	case looksLikeJSON(b) && isText(b, cut):
		d.json(b, cut)
	case isText(b, cut):
		d.plain(b)
	default:
		d.hex(b)
		return
	}
	if all > shownBody {
		d.line(toneWarn, fmt.Sprintf("the first %s of %s are shown: x exports it all", size(shownBody), size(int64(all))))
	}
}

// unpack takes the content coding off a body. Where that cannot be done it is the body as
// it is, and an error where it should have been possible.
func unpack(m *event.Message) (plain []byte, coding string, err error) {
	coding = strings.ToLower(header(m.Header, "content-encoding"))
	var from io.Reader
	switch coding {
	case "", "identity":
		return m.Body, "", nil
	case "gzip", "x-gzip":
		from, err = gzip.NewReader(bytes.NewReader(m.Body))
	case "deflate":
		from, err = zlib.NewReader(bytes.NewReader(m.Body))
	default:
		return m.Body, coding, errors.New("this coding is not known here")
	}
	if err != nil {
		return m.Body, coding, err
	}
	plain, err = io.ReadAll(io.LimitReader(from, unpacked))
	if len(plain) == 0 && err != nil {
		return m.Body, coding, err
	}
	if lacks(m) && len(plain) > 0 {
		err = nil // its end is known to be missing
	}
	return plain, coding, err
}

// isText tells whether bytes are text in UTF-8; where the end is cut, a character may be.
func isText(b []byte, cut bool) bool {
	odd := 0
	for at := 0; at < len(b); {
		r, n := utf8.DecodeRune(b[at:])
		switch {
		case r == utf8.RuneError && n == 1:
			if cut && at+utf8.UTFMax > len(b) {
				return true
			}
			return false
		case r == 0:
			return false
		case r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != 0x1b:
			odd++
		}
		at += n
	}
	return odd <= len(b)/50
}

// plain writes text in its lines.
func (d *document) plain(text []byte) {
	for line := range bytes.Lines(text) {
		d.add(tonePlain, strings.TrimRight(string(line), "\r\n"))
		d.end(0)
	}
}

// hex writes bytes in hexadecimal digits beside the text that they may be.
func (d *document) hex(b []byte) {
	row := 16
	if d.width < 76 {
		row = 8
	}
	shown := b[:min(len(b), shownHex)]
	for at := 0; at < len(shown); at += row {
		part := shown[at:min(at+row, len(shown))]
		var digits, text strings.Builder
		for i := range row {
			if i == 8 {
				digits.WriteByte(' ')
			}
			if i >= len(part) {
				digits.WriteString("   ")
				continue
			}
			fmt.Fprintf(&digits, "%02x ", part[i])
			if c := part[i]; c >= ' ' && c <= '~' {
				text.WriteByte(c)
			} else {
				text.WriteByte('.')
			}
		}
		d.add(toneFaint, fmt.Sprintf("%06x  ", at))
		d.add(toneNumber, digits.String())
		d.add(tonePlain, " "+text.String())
		d.end(2)
	}
	if len(shown) < len(b) {
		d.line(toneWarn, fmt.Sprintf("the first %s of %s are shown: x exports it all", size(shownHex), size(int64(len(b)))))
	}
}
