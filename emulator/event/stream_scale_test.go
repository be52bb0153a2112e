package event_test

import (
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestDecisionsThatChangeNothingDoNotPushOutThoseThatDo(t *testing.T) {
	stream := event.NewStream()
	stream.Publish("m", 1, event.Scaled{From: 1, Desired: 3})
	for i := range 10_000 {
		stream.Publish("m", 1, event.Scaled{From: 3, Desired: 3, Observed: float64(i)})
	}
	all := stream.History()
	if f := all[0].Fact.(event.Scaled); f.Desired != 3 || f.From != 1 || len(all) > 5_000 {
		t.Errorf("the first of %d is %+v", len(all), f)
	}
}
