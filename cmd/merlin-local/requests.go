package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/imports"
	"github.com/caraml-dev/merlin-local/proxy/capture/recording"
)

// openRequests opens a file of requests.
func openRequests(path string) (*os.File, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usageError{fmt.Errorf("there is no %s", path)}
	}
	return file, err
}

// exchangesIn reads the exchanges of a file of any form that imports knows.
func exchangesIn(r io.Reader) iter.Seq2[event.Exchange, error] {
	return imports.Read(r, imports.Options{})
}

// writeExchanges writes a recording.
func writeExchanges(w io.Writer, all []event.Exchange) error {
	lines := recording.NewWriter(w)
	lines.By = version()
	for _, x := range all {
		if err := lines.Write(x); err != nil {
			return err
		}
	}
	return lines.Close()
}

// hasAnswer tells whether it is known how a request was answered.
func hasAnswer(x event.Exchange) bool { return x.Status != 0 }
