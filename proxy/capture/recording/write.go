package recording

import (
	"bufio"
	"encoding/json"
	"io"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Writer writes a recording. Its first line is a session: the one that is written first,
// else one of its own.
type Writer struct {
	// By is the version of merlin-local that the first line names, where it is the writer's
	// own; set it before anything is written.
	By string

	out   *bufio.Writer
	lines *json.Encoder
	begun bool
	seq   uint64
}

// NewWriter returns a writer; what it writes is all there after Flush or Close.
func NewWriter(w io.Writer) *Writer {
	out := bufio.NewWriterSize(w, readAhead)
	return &Writer{out: out, lines: json.NewEncoder(out)}
}

// Write writes an exchange, behind the line that says that it was served: views count
// those. The two have the next number, and the time at which the exchange ended.
func (w *Writer) Write(x event.Exchange) error {
	if err := w.begin(); err != nil {
		return err
	}
	w.seq++
	e := event.Event{Seq: w.seq, Time: x.Arrived.Add(x.Took), Model: x.Model, Revision: x.Revision, Fact: x.Served}
	if err := w.lines.Encode(e); err != nil {
		return err
	}
	e.Fact = x
	return w.lines.Encode(e)
}

// Event writes an event's line as it is, with its own number.
func (w *Writer) Event(e event.Event) error {
	if _, is := e.Fact.(event.Session); !is {
		if err := w.begin(); err != nil {
			return err
		}
	}
	w.begun = true
	w.seq = max(w.seq, e.Seq)
	return w.lines.Encode(e)
}

// begin writes the first line where there is none.
func (w *Writer) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	w.seq++
	return w.lines.Encode(event.Event{Seq: w.seq, Fact: event.Session{Format: event.Format, Version: w.By}})
}

// Flush hands on what is written so far.
func (w *Writer) Flush() error { return w.out.Flush() }

// Close ends the recording, which has its first line even where nothing was written. The
// file beneath stays open.
func (w *Writer) Close() error {
	if err := w.begin(); err != nil {
		return err
	}
	return w.out.Flush()
}
