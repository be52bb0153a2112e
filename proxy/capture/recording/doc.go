// Package recording reads and writes recordings of exchanges: JSON, one event a line, the
// first of them a session with the format's version. They are the lines of `up --record`
// and of `up -o json`; the README's "Recordings" documents them.
//
// Reading takes the exchanges in the order in which they stand there, and the memory of
// one line at a time, however long the file is. What stands before a line that cannot be
// read counts. A Writer writes in the order in which it is called. Neither starts
// goroutines, and neither is for several of them at a time.
package recording

import "fmt"

// LineError says which line of a recording could not be read, and why.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns why.
func (e *LineError) Unwrap() error { return e.Err }
