package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// keptSession is a session that keeps some requests, of which the first have left its
// history.
type keptSession struct{ kept map[uint64]string } // models by ID

var began = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

func (s keptSession) lookup(id uint64) (event.Exchange, error) {
	model, is := s.kept[id]
	if !is {
		return event.Exchange{}, fmt.Errorf("request %d made room", id)
	}
	x := event.Exchange{Served: event.Served{ID: id, Took: time.Second}, Model: model, Arrived: began.Add(time.Duration(id) * time.Minute)}
	x.Request.Body = []byte{byte(id)}
	return x, nil
}

// told are what the session tells: lines of logs at half minutes and the requests from
// that one on.
func (s keptSession) told(from, to uint64) (all []event.Event) {
	all = []event.Event{{Seq: 90, Time: began, Fact: event.Session{Format: event.Format, ID: "s"}}}
	for id := uint64(1); id <= to; id++ {
		at := began.Add(time.Duration(id) * time.Minute)
		all = append(all, event.Event{Seq: 100 * id, Time: at.Add(-30 * time.Second), Model: "iris-1", Fact: event.Log{Text: fmt.Sprint("before ", id)}})
		if id >= from {
			all = append(all, event.Event{Seq: 100*id + 1, Time: at.Add(time.Second), Model: s.kept[id], Fact: event.Served{ID: id}})
		}
	}
	return all
}

func TestARecordingOfRequestsAloneOpensOnTheScreen(t *testing.T) {
	var file bytes.Buffer
	x, _ := keptSession{map[uint64]string{1: "iris-1"}}.lookup(1)
	if err := writeExchanges(&file, []event.Exchange{x, {Served: event.Served{ID: 2}}}); err != nil {
		t.Fatal(err)
	}
	r, err := session.OpenRecording(bytes.NewReader(file.Bytes()), int64(file.Len()), func(event.Event) bool { return true })
	if err != nil || r.Len() != 5 || len(r.Notes()) > 0 {
		t.Fatal(r, err)
	}
	if got, err := r.Exchange(1); err != nil || !bytes.Equal(got.Request.Body, x.Request.Body) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := r.State(r.Len()); err != nil {
		t.Error(err)
	}
}

// save runs all of it and returns what the recording says, in words.
func save(t *testing.T, k *keeper, s keptSession, events []event.Event) (words string, enough bool) {
	t.Helper()
	var file bytes.Buffer
	k.to(&file, s.lookup)
	for _, e := range events {
		var err error
		if enough, err = k.take(e); err != nil {
			t.Fatal(err)
		}
		if enough {
			break
		}
	}
	if err := k.finish(); err != nil {
		t.Fatal(err)
	}
	var all []string
	before, at := uint64(0), time.Time{}
	for _, e := range read(t, file.String()) {
		if _, second := e.Fact.(event.Exchange); e.Time.Before(at) || !second && e.Seq != before+1 || second && e.Seq != before {
			t.Errorf("%d at %s stands behind %d at %s", e.Seq, e.Time, before, at)
		}
		before, at = e.Seq, e.Time
		switch f := e.Fact.(type) {
		case event.Log:
			all = append(all, f.Text)
		case event.Exchange:
			all = append(all, fmt.Sprint(f.ID, len(f.Request.Body)))
		}
	}
	return strings.Join(all, ", "), enough
}

func TestRecordHasWhatTheSessionsHistoryHasForgottenInItsPlace(t *testing.T) {
	s := keptSession{map[uint64]string{1: "iris-1", 3: "iris-1", 4: "iris-1", 5: "iris-1"}}
	k := &keeper{evicted: 7}
	k.await([]uint64{5, 4, 3, 2, 1}, 4) // of which 2 has made room since
	words, _ := save(t, k, s, s.told(4, 5))
	if want := "before 1, 1 1, before 2, before 3, 3 1, before 4, 4 1, before 5, 5 1"; words != want {
		t.Errorf("it has %s, not %s", words, want)
	}
	for _, want := range []string{"saved 4 requests to f", "1 request without header and body: request 2 made room", "7 earlier ones had made room"} {
		if !strings.Contains(k.told("f"), want) {
			t.Errorf("it says %s, without %q", k.told("f"), want)
		}
	}
}

func TestRecordHasWhatLeftTheHistoryWhileItBegan(t *testing.T) {
	s := keptSession{map[uint64]string{1: "iris-1", 2: "iris-1", 3: "iris-1"}}
	k := &keeper{}
	k.await([]uint64{2, 1}, 1)
	events := s.told(3, 3)
	words, _ := save(t, k, s, []event.Event{events[0], events[len(events)-1]})
	if want := "1 1, 2 1, 3 1"; words != want || k.lost > 0 {
		t.Errorf("it has %s, not %s", words, want)
	}
}

func TestRecordOfOneModelHasNothingOfOthers(t *testing.T) {
	s := keptSession{map[uint64]string{1: "eta-1", 2: "iris-1", 3: "eta-1", 4: "iris-1"}}
	k := &keeper{model: "eta-1"}
	k.await([]uint64{4, 3, 2, 1}, 3)
	if words, _ := save(t, k, s, s.told(3, 4)); words != "1 1, 3 1" {
		t.Errorf("it has %s", words)
	}
}

func TestRecordEndsWithTheLastOneThatIsWanted(t *testing.T) {
	s := keptSession{map[uint64]string{1: "iris-1", 2: "iris-1", 3: "iris-1", 4: "iris-1"}}
	for most, want := range map[int]string{1: "before 1, 1 1", 3: "before 1, 1 1, before 2, 2 1, before 3, 3 1"} {
		k := &keeper{most: most}
		k.await([]uint64{4, 3, 2, 1}, 3)
		if words, enough := save(t, k, s, s.told(3, 4)); words != want || !enough {
			t.Errorf("of %d it has %s, not %s", most, words, want)
		}
	}
}

func TestRecordOfWhatComesLeavesOutWhatWas(t *testing.T) {
	s := keptSession{map[uint64]string{1: "iris-1", 2: "iris-1"}}
	words, _ := save(t, &keeper{after: 1}, s, s.told(1, 2))
	if want := "before 1, before 2, 2 1"; words != want {
		t.Errorf("it has %s, not %s", words, want)
	}
}
