// Package imports reads what production leaves behind as exchanges: recordings, HAR files,
// curl and grpcurl command lines, KServe's logged CloudEvents, queue-proxy's access log, bodies
// one a line, and UPI's prediction logs, each plain or compressed by gzip.
//
// Exchanges come in the order of the file; CloudEvents when both halves are there, and what
// stays a half at the end. What cannot be read ends the reading with a PlaceError, and what was
// before it counts. Memory is bounded by one line, entry or command, and for CloudEvents
// by what waits for its other half. Nothing is executed, and no file but the given one is
// read. What the capture's rules always hide is hidden. No goroutines are started.
//
// Where a format has no answer, Status is 0 and the answer's Cut says why. Where it has no
// body although there was one, the request's Cut says so and its Size is that of the body,
// or -1 where it is not known.
package imports

import "fmt"

// PlaceError says where in a file something could not be read, and why.
type PlaceError struct {
	Place string // as "line 7" or "entry 3"
	Err   error
}

func (e *PlaceError) Error() string { return fmt.Sprintf("%s: %v", e.Place, e.Err) }

// Unwrap returns why.
func (e *PlaceError) Unwrap() error { return e.Err }

func atLine(n int, err error) error { return &PlaceError{fmt.Sprintf("line %d", n), err} }
