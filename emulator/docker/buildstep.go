package docker

import (
	"bytes"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// buildStep is one step of a build as it goes on.
type buildStep struct {
	report func(event.Fact)
	step   event.Step
	told   time.Time // of the last progress
	last   []string  // the last lines that it wrote
	// what it wrote of a line that has not ended
	out, err []byte
}

const (
	// keptLines is how much of a failed step's output its failure repeats.
	keptLines = 20
	// longestLine bounds what is kept of a line without an end.
	longestLine = 16 << 10
)

// enter reports a state, unless the step is in it or past it.
func (s *buildStep) enter(state event.StepState, detail string) {
	if s.step.State == state || s.step.State != "" && s.step.State != event.StepStarted {
		return
	}
	if state != event.StepStarted {
		s.flush()
	}
	s.step.State, s.step.Detail = state, detail
	s.report(s.step)
}

// write reports the lines that end in output.
func (s *buildStep) write(output []byte, stderr bool) {
	buffer := &s.out
	if stderr {
		buffer = &s.err
	}
	*buffer = append(*buffer, output...)
	for {
		line, rest, ended := bytes.Cut(*buffer, []byte{'\n'})
		if !ended && len(line) < longestLine {
			return
		}
		s.line(line, stderr)
		*buffer = rest
	}
}

// flush reports lines that never ended.
func (s *buildStep) flush() {
	if len(s.out) > 0 {
		s.line(s.out, false)
	}
	if len(s.err) > 0 {
		s.line(s.err, true)
	}
	s.out, s.err = nil, nil
}

func (s *buildStep) line(line []byte, stderr bool) {
	text := strings.ToValidUTF8(string(bytes.TrimSuffix(line, []byte{'\r'})), "\uFFFD")
	if len(s.last) == keptLines {
		s.last = s.last[1:]
	}
	s.last = append(s.last, text)
	s.report(event.Log{Source: event.LogBuild, Stderr: stderr, Text: text})
}
