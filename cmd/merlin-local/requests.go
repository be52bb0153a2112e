package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// openRequests opens a file of requests.
func openRequests(path string) (*os.File, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usageError{fmt.Errorf("there is no %s", path)}
	}
	return file, err
}

// exchangesIn reads the exchanges of a recording.
func exchangesIn(r io.Reader) iter.Seq2[event.Exchange, error] {
	return func(yield func(event.Exchange, error) bool) {
		for lines := json.NewDecoder(r); ; {
			var e event.Event
			err := lines.Decode(&e)
			if errors.Is(err, io.EOF) {
				return
			}
			x, is := e.Fact.(event.Exchange)
			if (is || err != nil) && !yield(x, err) || err != nil {
				return
			}
		}
	}
}

// writeExchanges writes a recording.
func writeExchanges(w io.Writer, all []event.Exchange) error {
	lines := json.NewEncoder(w)
	for i, x := range all {
		if err := lines.Encode(event.Event{Seq: uint64(i + 1), Time: x.Arrived, Model: x.Model, Revision: x.Revision, Fact: x}); err != nil {
			return err
		}
	}
	return nil
}

// hasAnswer tells whether it is known how a request was answered.
func hasAnswer(x event.Exchange) bool { return x.Status != 0 }
