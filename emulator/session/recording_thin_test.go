package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestStatesOfARecordingAreThinnedToABoundOfBytes(t *testing.T) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	const n = 20 * firstEvery
	for i := range n {
		if err := encoder.Encode(event.Event{Seq: uint64(i + 1), Fact: event.Log{Text: fmt.Sprintf("line %d", i)}}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := openRecording(strings.NewReader(text.String()), int64(text.Len()), func(event.Event) bool { return false }, 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	bytes := 0
	for i, c := range r.states {
		bytes += c.state.History.Bytes()
		if i > 0 && c.place-r.states[i-1].place < firstEvery {
			t.Errorf("states at %d and %d", r.states[i-1].place, c.place)
		}
	}
	if len(r.states) < 3 || len(r.states) > 10 || bytes > 5<<20 || r.states[0].place != 0 {
		t.Errorf("%d states of %d bytes are kept", len(r.states), bytes)
	}
	for _, place := range []int{n, n - 1, 1, n / 2, n/2 - 1} {
		s, err := r.State(place)
		if err != nil {
			t.Fatal(err)
		}
		if s.History.Logs.End() != place || s.History.Logs.Last().Fact.(event.Log).Text != fmt.Sprintf("line %d", place-1) {
			t.Errorf("at %d there are %d lines, the last is %+v", place, s.History.Logs.End(), s.History.Logs.Last())
		}
		if len(r.near) > nearStates {
			t.Errorf("%d states are kept near by", len(r.near))
		}
	}
}
