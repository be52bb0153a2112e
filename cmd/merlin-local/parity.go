package main

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// circumstances are those of the session.
func (s *upSession) circumstances() emulator.Circumstances {
	c := emulator.Circumstances{
		Containers: s.engine.docker != nil, CPUs: float64(runtime.NumCPU()),
		Foreign: s.emulatedPlatform, ProductionGrace: s.grace.production, NoLimits: s.noLimits, TimeScale: s.timeScale,
	}
	if s.engine.docker != nil {
		c.CPUs = float64(s.engine.docker.CPUs())
	}
	return c
}

// explain prints the points of a comparison with production, and how many there are of
// each kind.
func explain(w io.Writer, p event.Parity) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, verdict := range []event.Verdict{event.Same, event.Approximated, event.NotEmulated} {
		for _, point := range p.Points {
			if point.Verdict == verdict {
				fmt.Fprintf(table, "%s\t%s\t%s\n", point.Verdict, point.Area, prose.Clean(point.Text))
			}
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, prose.ParityCount(p))
	return err
}
