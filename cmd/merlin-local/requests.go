package main

import (
	"io"
	"iter"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/imports"
	"github.com/caraml-dev/merlin-local/proxy/capture/recording"
)

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
