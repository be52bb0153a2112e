package emulator

import (
	"bytes"
	"strings"
	"sync"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// lineWriter publishes what is written to it line by line. One goroutine writes.
type lineWriter struct {
	revision *revision
	log      event.Log // all but the text
	last     *tail     // nil where nobody wants the last lines
	buffer   []byte
}

// maxLine is where a line without an end is cut, so that memory stays bounded.
const maxLine = 16 << 10

func (r *revision) lines(log event.Log) *lineWriter {
	return &lineWriter{revision: r, log: log}
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.buffer = append(w.buffer, p...)
	for {
		line, rest, found := bytes.Cut(w.buffer, []byte{'\n'})
		if !found && len(w.buffer) < maxLine+w.revision.mask.longest {
			return len(p), nil
		}
		if len(line) > maxLine {
			line, rest = w.cut()
		}
		w.publish(line)
		w.buffer = append(w.buffer[:0], rest...)
	}
}

// cut parts a long line where no secret stands across the cut.
func (w *lineWriter) cut() (line, rest []byte) {
	hidden := []byte(w.revision.mask.text(string(w.buffer)))
	at := max(min(maxLine, len(hidden)-w.revision.mask.longest), 1)
	return hidden[:at], hidden[at:]
}

// flush publishes a last line that has no end.
func (w *lineWriter) flush() {
	if len(w.buffer) > 0 {
		w.publish(w.buffer)
		w.buffer = nil
	}
}

func (w *lineWriter) publish(line []byte) {
	log := w.log
	log.Text = strings.ToValidUTF8(string(bytes.TrimSuffix(line, []byte{'\r'})), "\uFFFD")
	if w.last != nil {
		w.last.add(log.Text, log.Stderr)
	}
	w.revision.publish(log)
}

// tail keeps the last lines of a replica for the report of its death.
type tail struct {
	mu    sync.Mutex
	kept  []string
	cried string // the last line of standard error that says something
}

const (
	// tailLines are told.
	tailLines = 20
	// keptLines are diagnosed: a traceback or a usage is longer. They are as many as the
	// kubelet keeps for a pod's termination message.
	keptLines = 80
)

func (t *tail) add(line string, stderr bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if stderr && strings.TrimSpace(line) != "" {
		t.cried = line
	}
	if len(t.kept) == keptLines {
		t.kept = t.kept[1:]
	}
	t.kept = append(t.kept, line)
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), lastOf(t.kept)...)
}

// all are the lines to diagnose.
func (t *tail) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.kept...)
}

// lastOf are the lines that are told.
func lastOf(lines []string) []string { return lines[max(len(lines)-tailLines, 0):] }

func (t *tail) lastError() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cried
}
