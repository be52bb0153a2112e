package capture

import (
	"encoding/binary"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// What is known of an exchange besides its messages is kept behind the request, in bytes:
// as values it would be the garbage collector's, a hundred thousand times.

// appendAbout appends all of an exchange but its messages.
func appendAbout(out []byte, e *event.Exchange) []byte {
	for _, text := range [...]string{e.Method, e.Host, e.Path, e.Proto, e.Replica, e.Error, e.Fault, e.Query, e.Model} {
		out = append(binary.AppendUvarint(out, uint64(len(text))), text...)
	}
	grpc := int64(-1)
	if e.GRPCStatus != nil {
		grpc = int64(*e.GRPCStatus)
	}
	for _, n := range [...]int64{
		int64(e.Status), grpc, int64(e.Revision), e.BytesIn, e.BytesOut, e.Arrived.UnixNano(),
		int64(e.Held), int64(e.Queued), int64(e.Sent), int64(e.FirstByte), int64(e.Took),
	} {
		out = binary.AppendVarint(out, n)
	}
	return out
}

// about reads what appendAbout wrote.
func about(id uint64, in []byte) event.Exchange {
	text := func() string {
		n, size := binary.Uvarint(in)
		text := string(in[size : size+int(n)])
		in = in[size+int(n):]
		return text
	}
	number := func() int64 {
		n, size := binary.Varint(in)
		in = in[size:]
		return n
	}
	var e event.Exchange
	e.ID = id
	for _, to := range [...]*string{&e.Method, &e.Host, &e.Path, &e.Proto, &e.Replica, &e.Error, &e.Fault, &e.Query, &e.Model} {
		*to = text()
	}
	e.Status = int(number())
	if grpc := int(number()); grpc >= 0 {
		e.GRPCStatus = &grpc
	}
	e.Revision, e.BytesIn, e.BytesOut = int(number()), number(), number()
	e.Arrived = time.Unix(0, number()).UTC()
	for _, to := range [...]*time.Duration{&e.Held, &e.Queued, &e.Sent, &e.FirstByte, &e.Took} {
		*to = time.Duration(number())
	}
	return e
}
