package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// openRecording makes the file of --record; nil where none is asked for.
func openRecording(name, dir string) (*os.File, error) {
	if name == "" {
		return nil, nil
	}
	return createNew("--record", inRepo(name, dir))
}

// createNew makes the file that a flag names, readable by its owner alone. One that is
// there already is somebody's.
func createNew(flag, path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, usageError{fmt.Errorf("%s: %s is there already: give another name, or remove it", flag, path)}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return file, nil
}

// recorder writes a session to a file: every event as its line, and behind each served
// line the exchange, as a line of the same number. It reads the stream as any view does,
// so a disk that is too slow makes it lose lines, which a dropped line then says.
type recorder struct {
	stream *event.Stream
	lookup func(id uint64) (event.Exchange, error) // nil where nothing is captured
	file   io.WriteCloser
}

// start begins to write. The returned function waits until all is written, once the
// stream is closed.
func (r *recorder) start() (wait func() error) {
	sub := r.stream.Subscribe()
	done := make(chan error, 1)
	go func() {
		err := r.write(sub)
		sub.Cancel()
		done <- errors.Join(err, r.file.Close())
	}()
	return func() error {
		if err := <-done; err != nil {
			return fmt.Errorf("--record: %w", err)
		}
		return nil
	}
}

// write returns when the stream has ended, or the file takes no more: then the session
// goes on and says so.
func (r *recorder) write(sub *event.Subscription) error {
	out := bufio.NewWriterSize(r.file, 64<<10)
	lines := json.NewEncoder(out)
	for {
		events, err := sub.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return nil
		}
		for _, e := range events {
			if err = r.line(lines, e); err != nil {
				break
			}
		}
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			r.stream.Publish("", 0, event.Notice{Level: event.NoticeWarning, Text: "--record: nothing more is recorded: " + err.Error()})
			return err
		}
	}
}

func (r *recorder) line(lines *json.Encoder, e event.Event) error {
	if err := lines.Encode(e); err != nil {
		return err
	}
	served, is := e.Fact.(event.Served)
	if !is || r.lookup == nil {
		return nil
	}
	x, err := r.lookup(served.ID)
	if err != nil { // the line says why there is no more
		x = event.Exchange{Served: served, Model: e.Model, Revision: e.Revision, Arrived: e.Time.Add(-served.Took)}
		x.Request = event.Message{Size: served.BytesIn, Cut: err.Error()}
		x.Answer = event.Message{Size: served.BytesOut, Cut: err.Error()}
	}
	e.Fact = x
	return lines.Encode(e)
}

// startRecording records the session where that is asked for.
func (s *upSession) startRecording() (wait func() error) {
	if s.recording == nil {
		return func() error { return nil }
	}
	r := &recorder{stream: s.stream, file: s.recording}
	if s.capture != nil {
		r.lookup = s.capture.Lookup
	}
	return r.start()
}
