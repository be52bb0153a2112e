package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// slowFile takes nothing until it may, and everything then.
type slowFile struct {
	bytes.Buffer
	may    chan struct{}
	fails  error
	closed bool
}

func (f *slowFile) Write(p []byte) (int, error) {
	<-f.may
	if f.fails != nil {
		return 0, f.fails
	}
	return f.Buffer.Write(p)
}

func (f *slowFile) Close() error { f.closed = true; return nil }

func read(t *testing.T, lines string) []event.Event {
	t.Helper()
	var all []event.Event
	for line := range strings.Lines(lines) {
		var e event.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

func TestARecordingOnASlowDiskSaysWhatIsMissing(t *testing.T) {
	stream := event.NewStream()
	file := &slowFile{may: make(chan struct{})}
	wait := (&recorder{stream: stream, file: file}).start()
	const all = 50_000
	for range all {
		stream.Publish("iris-1", 1, event.Served{})
	}
	stream.Publish("", 0, event.Ended{})
	stream.Close()
	close(file.may)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	served, dropped, ended := 0, 0, false
	for _, e := range read(t, file.String()) {
		switch f := e.Fact.(type) {
		case event.Served:
			served++
		case event.Dropped:
			dropped += f.Count
		case event.Ended:
			ended = true
		}
	}
	if dropped == 0 || served+dropped != all || !ended || !file.closed {
		t.Errorf("%d are there and %d said to be dropped, of %d; the end is there: %t", served, dropped, all, ended)
	}
}

func TestARecordingTellsWhyAnExchangeIsNotInIt(t *testing.T) {
	stream := event.NewStream()
	file := &slowFile{may: make(chan struct{})}
	close(file.may)
	lookup := func(id uint64) (event.Exchange, error) {
		if id == 1 {
			return event.Exchange{Served: event.Served{ID: 1}, Request: event.Message{Body: []byte("\x00\n")}}, nil
		}
		return event.Exchange{}, errors.New("it made room")
	}
	wait := (&recorder{stream: stream, file: file, lookup: lookup}).start()
	stream.Publish("iris-1", 1, event.Served{ID: 1})
	stream.Publish("iris-1", 1, event.Served{ID: 2, Path: "/p", BytesIn: 3})
	stream.Close()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range read(t, file.String()) {
		if x, is := e.Fact.(event.Exchange); is {
			got = append(got, fmt.Sprintf("%d %d %s %q %d %s", e.Seq, x.ID, x.Path, x.Request.Body, x.Request.Size, x.Request.Cut))
		}
	}
	if want := []string{`1 1  "\x00\n" 0 `, `2 2 /p "" 3 it made room`}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestADiskThatTakesNoMoreEndsTheRecordingAndNotTheSession(t *testing.T) {
	stream := event.NewStream()
	sub := stream.Subscribe()
	file := &slowFile{may: make(chan struct{}), fails: errors.New("no space left")}
	close(file.may)
	wait := (&recorder{stream: stream, file: file}).start()
	stream.Publish("", 0, event.Notice{Text: "first"})
	if err := wait(); err == nil || err.Error() != "--record: no space left" {
		t.Errorf("error is %v", err)
	}
	stream.Close()
	events, err := sub.Next(t.Context())
	if err != nil || len(events) != 2 || events[1].Fact != (event.Notice{Level: event.NoticeWarning, Text: "--record: nothing more is recorded: no space left"}) {
		t.Errorf("told %+v, %v", events, err)
	}
}

func TestARecordingIsNeverWrittenOver(t *testing.T) {
	dir := t.TempDir()
	file, err := openRecording("a.jsonl", dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "a.jsonl")); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
	_, err = openRecording("a.jsonl", dir)
	if usage := (usageError{}); !errors.As(err, &usage) {
		t.Errorf("error is %v", err)
	}
	if file, err := openRecording("", dir); file != nil || err != nil {
		t.Errorf("got %v, %v without a name", file, err)
	}
}
