package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// h2Answer is the header of a container's answer.
type h2Answer struct {
	status    int
	code      string // status
	length    int64  // -1 where there is none
	hasType   bool
	encoded   bool
	hasDate   bool
	hasLength bool
	grpc      string
	fields    []hpack.HeaderField // without the pseudo ones
}

// parse takes an answer's fields in; the error is the container's.
func (a *h2Answer) parse(fields []hpack.HeaderField) error {
	if len(fields) == 0 || fields[0].Name != ":status" {
		return errors.New("malformed response from server: missing status pseudo header")
	}
	code := fields[0].Value
	status, err := strconv.Atoi(code)
	if err != nil {
		return errors.New("malformed response from server: malformed non-numeric status pseudo header")
	}
	if len(code) != 3 { // as "+200" or "0200", which net/http takes too
		code = strconv.Itoa(status)
	}
	*a = h2Answer{status: status, code: code, length: -1, fields: fields[1:]}
	for _, f := range a.fields {
		if !h2ValidName(f.Name) || !httpguts.ValidHeaderFieldValue(f.Value) {
			return fmt.Errorf("malformed response from server: invalid header %q", f.Name)
		}
		a.note(f)
	}
	return nil
}

func (a *h2Answer) note(f hpack.HeaderField) {
	switch f.Name {
	case "content-length":
		if n, err := strconv.ParseUint(f.Value, 10, 63); err == nil && !a.hasLength {
			a.length, a.hasLength = int64(n), true
		}
	case "content-type":
		a.hasType = true
	case "content-encoding":
		a.encoded = f.Value != ""
	case "date":
		a.hasDate = true
	case "grpc-status":
		a.grpc = f.Value
	}
}

// write sends the header to the client, with what is missing in it.
func (a *h2Answer) write(w *h2Wire, stream uint32, ends bool, more ...hpack.HeaderField) {
	at, ok := w.beginBlock()
	if !ok {
		return
	}
	w.pair(":status", a.code)
	length := a.hasLength
	for _, f := range a.fields {
		switch f.Name {
		case "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "transfer-encoding", "upgrade":
			continue // of a hop
		case "content-length":
			if !length {
				continue // none, or a second one
			}
			length = false
		}
		w.field(f)
	}
	for _, f := range more {
		w.field(f)
	}
	if !a.hasDate && a.status >= http.StatusOK {
		w.pair("date", w.c.date(time.Now()))
	}
	w.endBlock(at, stream, ends)
}

// sniffs tells whether the answer gets a Content-Type from its body, as net/http
// gives it one.
func (a *h2Answer) sniffs() bool { return !a.hasType && !a.encoded && h2HasBody(a.status) }

func h2HasBody(status int) bool {
	return status >= http.StatusOK && status != http.StatusNoContent && status != http.StatusNotModified
}

// answer takes a header from the container.
func (s *h2Stream) answer(b h2Block) {
	if s.begun {
		s.trailer(b)
		return
	}
	var a h2Answer
	if err := a.parse(b.fields); err != nil {
		s.fail(err)
		return
	}
	switch {
	case b.tooLarge:
		s.fail(fmt.Errorf("net/http: server response headers exceeded %d bytes; aborted", h2AnswerMost))
	case a.status < http.StatusContinue || a.status > 999:
		s.begun = true // nothing is sent; but nothing can be any more
		s.fail(fmt.Errorf("the container answered with status %d", a.status))
	case a.status == http.StatusSwitchingProtocols:
		s.fail(fmt.Errorf("backend tried to switch protocol %q when %q was requested", "", ""))
	case a.status < http.StatusOK:
		s.inform(a, b.ends)
	default:
		s.begin(a, b.ends)
	}
}

// inform passes a 1xx on. The 100 that the client expects is the port's to send.
func (s *h2Stream) inform(a h2Answer, ends bool) {
	if ends {
		s.fail(fmt.Errorf("malformed response from server: %d ends the stream", a.status))
		return
	}
	if a.status != http.StatusContinue && s.x.clock.stop() {
		a.write(&s.c.client, s.id, false)
	}
}

// begin sends the answer's header, unless its first part is still to tell what it is.
func (s *h2Stream) begin(a h2Answer, ends bool) {
	s.x.heard()
	if !s.x.clock.stop() {
		return
	}
	s.x.fact.Status = a.status
	s.record(event.AnswerHeader, a.fields)
	s.note(a.grpc)
	s.begun = true
	if !s.head && h2HasBody(a.status) {
		s.down.declared = a.length
	}
	switch {
	case ends && s.down.declared > 0:
		s.broken(errH2Length)
	case ends && !a.hasLength && !s.head && h2HasBody(a.status):
		s.write(a, true, hpack.HeaderField{Name: "content-length", Value: "0"})
	case ends || !a.sniffs():
		s.write(a, ends)
	default:
		held := a
		held.fields = slices.Clone(a.fields)
		s.withheld = &held
		if a.hasLength {
			return // its first part will come
		}
		s.upstream.sniffing = append(s.upstream.sniffing, s)
	}
}

func (s *h2Stream) write(a h2Answer, ends bool, more ...hpack.HeaderField) {
	a.write(&s.c.client, s.id, ends, more...)
	if ends {
		s.down.complete, s.down.sent = true, true
		s.ended()
	}
}

// sniff sends a header that was withheld, with what the first part of the body is.
func (s *h2Stream) sniff(p []byte) {
	a := s.withheld
	if s.withheld = nil; a == nil {
		return
	}
	if len(p) == 0 {
		s.write(*a, false)
		return
	}
	s.write(*a, false, hpack.HeaderField{Name: "content-type", Value: http.DetectContentType(p)})
}

// trailer ends the answer.
func (s *h2Stream) trailer(b h2Block) {
	if !b.ends {
		s.fail(errH2Trailer)
		return
	}
	if !h2ValidTrailer(b) {
		s.fail(errors.New("malformed response from server: invalid trailer"))
		return
	}
	s.record(event.AnswerTrailer, b.fields)
	for _, f := range b.fields {
		if f.Name == "grpc-status" {
			s.note(f.Value)
		}
	}
	if s.down.declared >= 0 && s.down.received < s.down.declared {
		s.fail(errH2Length)
		return
	}
	s.sniff(nil)
	if !s.x.clock.touch() {
		return
	}
	s.down.finish(s.kept(b.fields))
}

// h2ValidTrailer tells whether a block may be a trailer.
func h2ValidTrailer(b h2Block) bool {
	for _, f := range b.fields {
		if !h2ValidName(f.Name) || !httpguts.ValidHeaderFieldValue(f.Value) {
			return false
		}
	}
	return !b.tooLarge
}

// h2AskedTrailer tells whether all of a request's trailer may stand there.
func h2AskedTrailer(b h2Block) bool {
	for _, f := range b.fields {
		if !httpguts.ValidTrailerHeader(http.CanonicalHeaderKey(f.Name)) {
			return false
		}
	}
	return true
}

// kept returns trailers that stay valid behind the next block.
func (s *h2Stream) kept(fields []hpack.HeaderField) []hpack.HeaderField {
	if len(s.down.queue) == 0 {
		return fields
	}
	return slices.Clone(fields)
}

// note keeps the status that a gRPC server sent.
func (s *h2Stream) note(grpc string) {
	if grpc == "" {
		return
	}
	if status, err := strconv.Atoi(grpc); err == nil {
		s.x.fact.GRPCStatus = &status
	}
}

// refuse gives an answer of the port's own: a refusal, or what net/http answers by
// itself.
func (s *h2Stream) refuse(r *refusal) {
	s.begun = true
	a := h2Answer{status: r.wire(), code: strconv.Itoa(r.wire())}
	for name, value := range r.header {
		a.fields = append(a.fields, hpack.HeaderField{Name: strings.ToLower(name), Value: value})
	}
	a.fields = append(a.fields, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(r.body))})
	a.length, a.hasLength = int64(len(r.body)), true
	if r.body == "" || s.head {
		s.write(a, true)
		return
	}
	s.write(a, false)
	s.down.complete = true
	s.down.add([]byte(r.body))
}
