package recording_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/recording"
)

// predict is an exchange with all kinds of bytes in its bodies.
func predict(id uint64) event.Exchange {
	grpc := 0
	return event.Exchange{
		Served: event.Served{
			ID: id, Method: "POST", Host: "iris-1.local", Path: "/v1/models/iris-1:predict", Proto: "HTTP/1.1",
			Status: 200, GRPCStatus: &grpc, Took: 3 * time.Millisecond, BytesIn: 4, BytesOut: 2,
		},
		Query: "?a=b", Model: "iris-1", Revision: 2, Arrived: time.Date(2026, 11, 25, 10, 0, 0, 1, time.UTC),
		Request: event.Message{Header: []event.Field{{Name: "X-A", Value: "1"}}, Body: []byte("\x00\n\xff\""), Size: 4},
		Answer:  event.Message{Trailer: []event.Field{{Name: "grpc-status", Value: "0"}}, Body: []byte("{}"), Size: 9, Cut: "why"},
	}
}

func written(t *testing.T, all ...event.Exchange) string {
	t.Helper()
	var file bytes.Buffer
	w := recording.NewWriter(&file)
	w.By = "v1"
	for _, x := range all {
		if err := w.Write(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

func read(o recording.Reader, r io.Reader) (all []event.Exchange, err error) {
	for x, err := range o.Read(r) {
		if err != nil {
			return all, err
		}
		all = append(all, x)
	}
	return all, nil
}

func TestWhatIsWrittenIsReadToTheByte(t *testing.T) {
	want := []event.Exchange{predict(1), predict(2), {Arrived: time.Unix(0, 0).UTC()}}
	file := written(t, want...)
	got, err := read(recording.Reader{}, strings.NewReader(file))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	kinds := ""
	for line := range strings.Lines(file) {
		var e event.Event
		if err := e.UnmarshalJSON([]byte(line)); err != nil {
			t.Fatal(err)
		}
		kinds += fmt.Sprintf("%d %s, ", e.Seq, event.Kind(e.Fact))
	}
	if want := "1 session, 2 served, 2 exchange, 3 served, 3 exchange, 4 served, 4 exchange, "; kinds != want {
		t.Errorf("the lines are %s, not %s", kinds, want)
	}
}

func TestARecordingOfNothingHasItsFirstLine(t *testing.T) {
	file := written(t)
	if !strings.Contains(file, `"kind":"session","fact":{"format":1,`) || strings.Count(file, "\n") != 1 {
		t.Errorf("it is %q", file)
	}
	if got, err := read(recording.Reader{}, strings.NewReader(file)); len(got) > 0 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestASessionThatIsWrittenIsTheFirstLine(t *testing.T) {
	var file bytes.Buffer
	w := recording.NewWriter(&file)
	first := event.Event{Seq: 7, Fact: event.Session{Format: event.Format, ID: "s", Version: "v2"}}
	if err := errors.Join(w.Event(first), w.Write(predict(1)), w.Close()); err != nil {
		t.Fatal(err)
	}
	if strings.Count(file.String(), "session") != 1 || !strings.Contains(file.String(), `{"seq":8,`) {
		t.Errorf("it is %s", file.String())
	}
}

func TestACompressedRecordingIsReadAsAPlainOne(t *testing.T) {
	var file bytes.Buffer
	packed := gzip.NewWriter(&file)
	if _, err := io.WriteString(packed, written(t, predict(1), predict(2))); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	if got, err := read(recording.Reader{}, bytes.NewReader(whole)); len(got) != 2 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := read(recording.Reader{}, bytes.NewReader(whole[:len(whole)-5]))
	if line := (&recording.LineError{}); !errors.As(err, &line) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a truncated one gives %v", err)
	}
}

func TestABadLineEndsTheReadingAndWhatWasBeforeCounts(t *testing.T) {
	good := written(t, predict(1))
	short := recording.Reader{Longest: 2000}
	for name, c := range map[string]struct {
		line, why string
		reader    recording.Reader
	}{
		"no JSON":        {line: "GET / HTTP/1.1\n", why: "invalid character"},
		"another JSON":   {line: `{"log": {"entries": []}}` + "\n", why: "it is no line of a recording"},
		"an array":       {line: "[]\n", why: "cannot unmarshal array"},
		"NUL bytes":      {line: "\x00\x00\x00\n", why: "invalid character '\\x00'"},
		"deep":           {line: `{"kind":"log","fact":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}\n", why: "exceeded max depth"},
		"too long":       {line: `{"kind":"log","fact":"` + strings.Repeat("x", 3000) + "\"}\n", why: "it is longer than 2000 bytes", reader: short},
		"wrong types":    {line: `{"kind":"exchange","fact":{"status":"200"}}` + "\n", why: "cannot unmarshal string"},
		"bad base64":     {line: `{"kind":"exchange","fact":{"request":{"body":"???"}}}` + "\n", why: "illegal base64"},
		"nothing in it":  {line: `{"kind":"exchange"}` + "\n", why: "its exchange is missing"},
		"null in it":     {line: `{"kind":"exchange","fact":null}` + "\n", why: "its exchange is missing"},
		"another format": {line: `{"kind":"session","fact":{"format":2,"version":"v9"}}` + "\n", why: `it is in format 2, of another merlin-local ("v9"); this one reads up to 1`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(c.reader, strings.NewReader(good+c.line+good))
			var at *recording.LineError
			if !errors.As(err, &at) || at.Line != 4 || !strings.Contains(err.Error(), c.why) {
				t.Errorf("error is %v, want line 4: %s", err, c.why)
			}
			if len(got) != 1 || !reflect.DeepEqual(got[0], predict(1)) {
				t.Errorf("before it %v was read", got)
			}
		})
	}
}

func TestAFileThatEndsInALineSaysSo(t *testing.T) {
	good := written(t, predict(1), predict(2))
	for cut := 2; cut < 400; cut += 9 {
		got, err := read(recording.Reader{}, strings.NewReader(good[:len(good)-cut]))
		var at *recording.LineError
		if len(got) != 1 || !errors.As(err, &at) || at.Line != 5 || !strings.Contains(err.Error(), "the file ends in the middle of it") {
			t.Errorf("without its last %d bytes: %d exchanges and %v", cut, len(got), err)
		}
	}
	if got, err := read(recording.Reader{}, strings.NewReader(good[:len(good)-1])); len(got) != 2 || err != nil {
		t.Errorf("without its last newline: %d exchanges and %v", len(got), err)
	}
}

func TestOtherLinesArePassedOver(t *testing.T) {
	other := `{"seq":3,"kind":"log","fact":{"text":17}}` + "\n\n" + `{"seq":4,"kind":"of another year","fact":[1]}` + "\r\n"
	late := `{"fact":{"id":9},"kind":"exchange"}`
	got, err := read(recording.Reader{}, strings.NewReader(other+late))
	if err != nil || len(got) != 1 || got[0].ID != 9 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestReadingMayStopAnywhere(t *testing.T) {
	for range recording.Read(strings.NewReader(written(t, predict(1), predict(2)))) {
		break
	}
}

// The file is never all there: it comes through a pipe.
func TestALongRecordingTakesTheMemoryOfALine(t *testing.T) {
	const all, most = 200 << 20, 48 << 20
	x := predict(1)
	x.Request.Body = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	line := []byte(strings.SplitAfterN(written(t, x), "\n", 2)[1])
	out, in := io.Pipe()
	done := make(chan error, 1)
	count := all/len(line) + 1
	go func() {
		var err error
		for range count {
			if _, err = in.Write(line); err != nil {
				break
			}
		}
		done <- errors.Join(err, in.Close())
	}()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	before, highest, got := memory.HeapAlloc, uint64(0), 0
	for got1, err := range recording.Read(out) {
		if err != nil || len(got1.Request.Body) != 1<<20 {
			t.Fatal(err, len(got1.Request.Body))
		}
		got++
		runtime.ReadMemStats(&memory)
		highest = max(highest, memory.HeapAlloc)
	}
	if err := <-done; err != nil || got != count {
		t.Errorf("%d of %d exchanges were read, %v", got, count, err)
	}
	if highest > before+most {
		t.Errorf("%d MiB of memory were in use, %d before", highest>>20, before>>20)
	}
}

func FuzzARecordingNeverPanics(f *testing.F) {
	f.Add([]byte(`{"seq":1,"time":"2026-11-25T10:00:00Z","kind":"exchange","fact":{"id":1,"request":{"body":"AA=="}}}` + "\n"))
	f.Add([]byte(`{"kind":"session","fact":{"format":1}}` + "\n" + `{"kind":"log"}`))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		all, err := read(recording.Reader{Longest: 1 << 16}, bytes.NewReader(file))
		if at := (&recording.LineError{}); err != nil && (!errors.As(err, &at) || at.Line < 1) {
			t.Errorf("an error without its line: %v", err)
		}
		var copied bytes.Buffer
		w := recording.NewWriter(&copied)
		for _, x := range all {
			if w.Write(x) != nil {
				return // a time that JSON cannot say
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := read(recording.Reader{}, &copied)
		if err != nil || len(again) != len(all) {
			t.Errorf("%d exchanges were written, and %d read, %v", len(all), len(again), err)
		}
	})
}
