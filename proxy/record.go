package proxy

import (
	"net/http"
	"slices"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Capture keeps what passes through the port.
type Capture interface {
	// Begin is called for every request as it arrives.
	Begin() Recording
}

// Recording keeps one exchange. Its request may be taken by one goroutine and its answer
// by another. No call may wait for anything, and none may keep p.
type Recording interface {
	// Take takes a part as it passes: of a header or trailer the lines, "Name: value\r\n"
	// each, of a body any piece, without the framing of HTTP. The header comes first; a
	// second one, of an answer of the port's own, takes the place of all before it. What
	// follows an upgrade is not told.
	Take(part event.Part, p []byte)
	// End is called once an exchange has ended, before its event.Served is published. e
	// is all of it but the messages; Drop is called where the request was a probe, which
	// is told to nobody. Nothing is called after either.
	End(e event.Exchange)
	Drop()
}

// record gives a part to the recording, where there is one.
func (x *exchange) record(part event.Part, p []byte) {
	if x.recording != nil {
		x.recording.Take(part, p)
	}
}

// recordLate is record for who may come when the exchange has ended, as a transport that
// still reads a body whose answer is complete.
func (x *exchange) recordLate(part event.Part, p []byte) {
	x.ending.Lock()
	defer x.ending.Unlock()
	x.record(part, p)
}

// uploads notes a piece of the request's body.
func (x *exchange) uploads(p []byte) {
	x.in.Add(int64(len(p)))
	x.record(event.RequestBody, p)
}

// answers notes a piece of the answer's body.
func (x *exchange) answers(p []byte) {
	x.out.Add(int64(len(p)))
	x.record(event.AnswerBody, p)
}

// recordRefusal records an answer of the port's own.
func (x *exchange) recordRefusal(r *refusal) {
	if x.recording == nil {
		return
	}
	var lines []byte
	for name, value := range r.header {
		lines = h1Append(lines, name, value)
	}
	x.recording.Take(event.AnswerHeader, h1AppendLength(lines, int64(len(r.body))))
	if x.fact.Method != http.MethodHead {
		x.recording.Take(event.AnswerBody, []byte(r.body))
	}
}

// endRecording ends the recording with what is told of the exchange.
func (x *exchange) endRecording(model string, revision int, f event.Served) {
	x.ending.Lock()
	defer x.ending.Unlock()
	if r := x.recording; r != nil {
		x.recording = nil
		r.End(event.Exchange{Served: f, Query: x.query, Model: model, Revision: revision, Arrived: x.arrived.UTC()})
	}
}

func (x *exchange) dropRecording() {
	x.ending.Lock()
	defer x.ending.Unlock()
	if r := x.recording; r != nil {
		x.recording = nil
		r.Drop()
	}
}

// appendLines appends the lines of a header that net/http has taken apart, by name.
func appendLines(out []byte, h http.Header) []byte {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			out = h1Append(out, name, value)
		}
	}
	return out
}
