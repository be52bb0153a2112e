package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/recording"
)

// openRecording makes the file of --record; nil where none is asked for.
func openRecording(name, dir string) (*os.File, error) {
	if name == "" {
		return nil, nil
	}
	return newFileOf("--record", inRepo(name, dir))
}

// newFileOf is newFile for a file that a flag names.
func newFileOf(flag, path string) (*os.File, error) {
	file, err := newFile(path)
	if usage := (usageError{}); errors.As(err, &usage) {
		return nil, usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return file, nil
}

// newFile makes a file for its owner alone. One that is there already is somebody's.
func newFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, usageError{fmt.Errorf("%s is there already: give another name, or remove it", path)}
	}
	return file, err
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
	out := recordingLines{recording.NewWriter(r.file), r.lookup}
	for {
		events, err := sub.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return nil
		}
		for _, e := range events {
			if _, _, err = out.line(e); err != nil {
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

// recordingLines are a recording's lines, each served one with its exchange behind it.
type recordingLines struct {
	*recording.Writer
	lookup func(id uint64) (event.Exchange, error) // nil where nothing is captured
}

// line writes an event, and behind a request its exchange, which it returns; lost says why
// there is no more of it than that it was served.
func (l recordingLines) line(e event.Event) (x event.Exchange, lost, err error) {
	served, is := e.Fact.(event.Served)
	if !is || l.lookup == nil {
		return x, nil, l.Event(e)
	}
	x, lost = l.lookup(served.ID)
	if lost != nil { // the line says why there is no more
		x = event.Exchange{Served: served, Model: e.Model, Revision: e.Revision, Arrived: e.Time.Add(-served.Took)}
		x.Request = event.Message{Size: served.BytesIn, Cut: lost.Error()}
		x.Answer = event.Message{Size: served.BytesOut, Cut: lost.Error()}
	}
	return x, lost, l.pair(e, x)
}

// pair writes the two lines of a request.
func (l recordingLines) pair(served event.Event, x event.Exchange) error {
	if err := l.Event(served); err != nil {
		return err
	}
	served.Fact = x
	return l.Event(served)
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
