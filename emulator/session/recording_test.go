package session_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// lived are the events of a session in which everything happens again and again.
func lived(n int) []event.Event {
	facts := begin(event.PhaseChanged{Phase: event.PhaseStarting}, event.Autoscaler{Class: "kpa", Min: 0, Max: 3})
	for i := len(facts); i < n; i++ {
		pod := fmt.Sprintf("pod-%d", i/40%3)
		var f event.Fact
		switch i % 20 {
		case 0:
			f = event.PodChanged{Pod: pod, Phase: event.PhaseReady, Restarts: i / 100}
		case 1:
			f = event.Started{Pod: pod, Replica: fmt.Sprint(i), Container: fmt.Sprint("c", i)}
		case 2:
			f = event.Exited{Pod: pod, Replica: fmt.Sprint(i), Code: 1}
		case 3:
			f = event.Reloading{Tier: "full", Why: "because"}
		case 4:
			f = event.Edited{Tier: "full", Files: []string{"a"}, Waits: "b"}
		case 5:
			f = event.Serving{Image: "x"}
		case 6:
			f = event.Usage{Pod: pod, CPU: float64(i), Memory: int64(i)}
		case 7:
			f = event.Traffic{Requests: uint64(i), Errors: uint64(i / 3)}
		case 8:
			f = event.Probed{Pod: pod, Purpose: event.Readiness, OK: i%3 == 0, Outcome: "200 OK"}
		case 9:
			f = event.Step{Stage: event.StageBuild, ID: fmt.Sprint(i / 60), Name: "RUN", State: event.StepDone}
		case 10:
			f = event.Scaled{From: i % 3, Desired: i % 4, Panic: i%40 == 10}
		case 11:
			f = event.Attached{On: i%40 == 11}
		case 12:
			f = event.Scraped{Pod: pod, Source: event.MetricsScraped, Series: i, At: time.Unix(int64(i), 0).UTC(), Families: []event.Family{counter("n_total", float64(i)), histogram("h", float64(i), 1, float64(i))}}
		case 13:
			f = event.Environment{}
		case 14:
			f = event.Exchange{Served: event.Served{ID: uint64(i)}, Request: event.Message{Body: []byte(fmt.Sprint("body ", i))}}
		case 15, 16:
			f = event.Served{ID: uint64(i), Path: "/"}
		default:
			f = event.Log{Source: event.LogModel, Replica: pod, Text: fmt.Sprint("line ", i)}
		}
		facts = append(facts, f)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	events := make([]event.Event, len(facts))
	for i, f := range facts {
		events[i] = event.Event{Seq: uint64(i + 1), Time: at.Add(time.Duration(i) * 100 * time.Millisecond), Model: "iris-1", Revision: 1 + i/200, Fact: f}
		switch f.(type) {
		case event.Session, event.Listening:
			events[i].Model = ""
		}
	}
	return events
}

func lines(t testing.TB, events []event.Event) string {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	for _, e := range events {
		if err := encoder.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func open(t testing.TB, text string) (*session.Recording, error) {
	t.Helper()
	return session.OpenRecording(strings.NewReader(text), int64(len(text)), func(e event.Event) bool {
		_, is := e.Fact.(event.Exited)
		return is
	})
}

// folded is what the first events make, with a history.
func folded(events []event.Event) *session.State {
	s := &session.State{Models: []*session.Model{}}
	s.Remember()
	for _, e := range events {
		s.Apply(e)
	}
	return s
}

// same compares all that states hold, the rings by their items.
func same(t *testing.T, what string, got, want *session.State) {
	t.Helper()
	a, b := *got, *want
	a.History, b.History = nil, nil
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s: the state is\n%+v, not\n%+v", what, a, b)
	}
	ring(t, what+": requests", &got.History.Requests, &want.History.Requests)
	ring(t, what+": logs", &got.History.Logs, &want.History.Logs)
	ring(t, what+": happenings", &got.History.Happenings, &want.History.Happenings)
	x, y := got.History.Tracks, want.History.Tracks
	if x.Samples != y.Samples || x.Len() != y.Len() || x.Untracked != y.Untracked {
		t.Errorf("%s: %d samples and %d series, not %d and %d", what, x.Samples, x.Len(), y.Samples, y.Len())
	}
	for _, name := range []string{"n_total", "h"} {
		a, b := x.Of("iris-1", name), y.Of("iris-1", name)
		if len(a) != len(b) {
			t.Fatalf("%s: %d tracks, not %d", what, len(a), len(b))
		}
		for i := range b {
			for j := range b[i].Len() {
				if a[i].Len() != b[i].Len() || !slices.Equal(a[i].Values(j), b[i].Values(j)) || a[i].Source != b[i].Source || !a[i].Seen.Equal(b[i].Seen) {
					t.Fatalf("%s: the past of %s is %+v, not %+v", what, name, a[i], b[i])
				}
			}
		}
	}
	for _, m := range want.Models {
		x, y := got.History.Of(m.ID), want.History.Of(m.ID)
		ring(t, what+": seconds", &x.Seconds, &y.Seconds)
		ring(t, what+": probes", &x.Probes, &y.Probes)
		if !reflect.DeepEqual(x.Builds, y.Builds) {
			t.Errorf("%s: builds differ", what)
		}
	}
}

func ring[T any](t *testing.T, what string, got, want *session.Ring[T]) {
	t.Helper()
	if got.First() != want.First() || got.End() != want.End() || got.Bytes() != want.Bytes() {
		t.Errorf("%s: from %d to %d of %d bytes, not from %d to %d of %d", what, got.First(), got.End(), got.Bytes(), want.First(), want.End(), want.Bytes())
		return
	}
	for place := want.First(); place < want.End(); place++ {
		if !reflect.DeepEqual(got.At(place), want.At(place)) {
			t.Errorf("%s: at %d is %+v, not %+v", what, place, *got.At(place), *want.At(place))
			return
		}
	}
}

func TestAStateOfARecordingIsWhatTheEventsBeforeItMake(t *testing.T) {
	events := lived(2600)
	text := lines(t, events)
	r, err := open(t, text)
	if err != nil || r.Len() != len(events) || len(r.Notes()) > 0 {
		t.Fatalf("%d events, %v, %q", r.Len(), err, r.Notes())
	}
	random := rand.New(rand.NewPCG(1, 2))
	places := []int{0, 1, 2600, 2599, 2598, 1024, 1023, 1800, 1799, 1798}
	for range 8 {
		places = append(places, random.IntN(2601))
	}
	for _, place := range places {
		state, err := r.State(place)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("at %d", place), state, folded(events[:place]))
		for _, e := range events[place:] { // whoever has it may go on with it: the others stay
			state.Apply(e)
		}
		same(t, fmt.Sprintf("from %d to the end", place), state, folded(events))
	}
}

func TestPlacesOfARecordingByTimeAndByWhatMatters(t *testing.T) {
	events := lived(100)
	r, err := open(t, lines(t, events))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][2]int{{0, 0}, {22, 0}, {23, 0}, {24, 23}, {100, 83}} {
		if got := r.Before(row[0]); got != row[1] {
			t.Errorf("before %d comes %d, not %d", row[0], got, row[1])
		}
	}
	for _, row := range [][2]int{{0, 23}, {22, 23}, {23, 43}, {83, 100}, {100, 100}} {
		if got := r.After(row[0]); got != row[1] {
			t.Errorf("after %d comes %d, not %d", row[0], got, row[1])
		}
	}
	begun := events[0].Time
	for after, want := range map[time.Duration]int{-time.Second: 0, 0: 1, time.Second: 11, 1050 * time.Millisecond: 11, time.Hour: 100} {
		if got := r.At(begun.Add(after)); got != want {
			t.Errorf("%s after the beginning is %d, not %d", after, got, want)
		}
	}
	if got := r.Time(11); !got.Equal(begun.Add(time.Second)) {
		t.Errorf("place 11 was at %s", got)
	}
}

func TestAnExchangeOfARecordingIsFoundByItsID(t *testing.T) {
	r, err := open(t, lines(t, lived(100)))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := r.Exchange(54); err != nil || string(x.Request.Body) != "body 54" {
		t.Errorf("it is %+v, %v", x, err)
	}
	if _, err := r.Exchange(55); err == nil || !strings.Contains(err.Error(), "no headers and bodies of this request") {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestWhatCannotBeReadOfARecordingIsSaidWithItsLine(t *testing.T) {
	whole := lines(t, lived(50))
	last := strings.LastIndexByte(strings.TrimSuffix(whole, "\n"), '\n') + 1
	strange := `{"seq":7,"time":"2026-01-02T03:04:05Z","kind":"teleported","fact":{}}` + "\n"
	for name, row := range map[string]struct {
		text, says string
		events     int
	}{
		"cut off":           {whole[:last+20], "line 50 cannot be read: unexpected end of JSON input", 49},
		"without a newline": {strings.TrimSuffix(whole, "\n"), "", 50},
		"empty lines":       {strings.ReplaceAll(whole, "\n", "\r\n\n"), "", 50},
		"garbage":           {whole[:last] + "not JSON\n" + whole[last:], "line 50 cannot be read: invalid character", 49},
		"a new kind":        {whole[:last] + strange + whole[last:] + strange, `line 50: event 7: unknown kind "teleported"`, 50},
	} {
		r, err := open(t, row.text)
		if err != nil || r.Len() != row.events {
			t.Errorf("%s: %d events, %v", name, r.Len(), err)
			continue
		}
		if said := strings.Join(r.Notes(), "; "); !strings.Contains(said, row.says) || row.says == "" && said != "" {
			t.Errorf("%s: it says %q", name, said)
		}
	}
	for name, row := range map[string][2]string{
		"empty":   {"", "it is empty"},
		"a text":  {"hello\n", "line 1 cannot be read"},
		"a newer": {`{"seq":1,"time":"2026-01-02T03:04:05Z","kind":"session","fact":{"format":99,"version":"v9"}}`, "it is in format 99, of a newer merlin-local (v9)"},
	} {
		if _, err := open(t, row[0]); err == nil || !strings.Contains(err.Error(), row[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALongLineOfARecordingIsRead(t *testing.T) {
	events := lived(30)
	events[20].Fact = event.Exchange{Served: event.Served{ID: 1}, Answer: event.Message{Body: bytes.Repeat([]byte("x"), 3<<20)}}
	r, err := open(t, lines(t, events))
	if err != nil || r.Len() != 30 {
		t.Fatalf("%v, %q", err, r.Notes())
	}
	if x, err := r.Exchange(1); err != nil || len(x.Answer.Body) != 3<<20 {
		t.Errorf("%d bytes, %v", len(x.Answer.Body), err)
	}
}

// BenchmarkAStepBack is one event back, from 100,000.
func BenchmarkAStepBack(b *testing.B) {
	r, err := open(b, lines(b, lived(100_000)))
	if err != nil {
		b.Fatal(err)
	}
	place := r.Len()
	for b.Loop() {
		if place--; place == 0 {
			place = r.Len()
		}
		if _, err := r.State(place); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenARecording is of 100,000 events.
func BenchmarkOpenARecording(b *testing.B) {
	text := lines(b, lived(100_000))
	for b.Loop() {
		if _, err := open(b, text); err != nil {
			b.Fatal(err)
		}
	}
}
