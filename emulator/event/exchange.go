package event

import "time"

// Exchange is one request and its answer as they were captured, the form of it
// everywhere: on the control socket, in a recording, on the screen. It is not published
// for every request: whoever wants one asks for it by its ID.
//
// The request is as the client sent it, and the answer as the replica did, or the port
// where the answer is its own. What the rules of the capture hide is hidden here too.
//
// Of one that was imported there may be no answer: its Status is then 0, and its Answer's
// Cut says why. One that was captured has Status 0 only where none came, and Error.
type Exchange struct {
	Served // its Path is without the query, as everywhere

	Query    string    `json:"query,omitempty"` // with its question mark
	Model    string    `json:"model,omitempty"`
	Revision int       `json:"revision,omitempty"`
	Arrived  time.Time `json:"arrived"` // in UTC
	Request  Message   `json:"request"`
	Answer   Message   `json:"answer"`
}

// Message is one of the two sides of an exchange.
type Message struct {
	Header  []Field `json:"header,omitempty"` // in their order
	Trailer []Field `json:"trailer,omitempty"`
	// Body is what was kept of the body, from its beginning: without the framing of
	// HTTP, so of chunks, and with that of gRPC. In JSON it is base64.
	Body []byte `json:"body,omitempty"`
	// Size is how many bytes of body passed, kept or not; -1 where it is not known, which
	// an imported one may be.
	Size int64 `json:"size"`
	// Cut says why Body is not all of it, or not as it was, as a sentence; empty where
	// Body is exact to the byte.
	Cut string `json:"cut,omitempty"`
}

// Field is one line of a header or trailer.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Part is a part of an exchange, while it passes.
type Part uint8

// The parts, each side in its order on the wire; the two sides mix.
const (
	RequestHeader Part = iota
	RequestBody
	RequestTrailer
	AnswerHeader
	AnswerBody
	AnswerTrailer
)

// Capture says how much of the session's requests is kept, told once a second while it
// changes.
type Capture struct {
	Kept    int    `json:"kept"`    // exchanges
	Evicted uint64 `json:"evicted"` // that newer ones took the place of
	Lost    uint64 `json:"lost"`    // that there was no memory for when they ran
	Cut     uint64 `json:"cut"`     // bodies of which not all was kept
	// Bytes of memory are in use, of Most; and Disk of DiskMost.
	Bytes    int64 `json:"bytes"`
	Most     int64 `json:"most"`
	Disk     int64 `json:"disk"`
	DiskMost int64 `json:"disk_most"`
}
