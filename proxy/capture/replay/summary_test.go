package replay

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

func TestAnswersAreComparedWithTheRecordedOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := many(7)
		for i := range all {
			all[i].Answer = event.Message{Body: []byte(`{"score": 1}`), Size: 12}
			all[i].Took = time.Millisecond
		}
		all[0].Request.Header = []event.Field{{Name: "Authorization", Value: "***"}}
		all[1].Query = "?token=***"
		all[3].Status = 0                       // nothing was recorded
		all[4].Error = event.LeftByClient       // nor of this
		all[5].Request = event.Message{Size: 1} // and this cannot be sent
		send := func(_ context.Context, x event.Exchange) (event.Exchange, error) {
			time.Sleep(time.Millisecond)
			switch x.ID {
			case 2:
				x.Answer.Body = []byte(`{"score": 1.5}`)
			case 3:
				x.Status = 500
			case 7:
				return event.Exchange{}, errors.New("nobody is there")
			}
			return x, nil
		}
		answers := func(was, is event.Exchange) compare.Result { return compare.Answers(was, is, compare.Rules{}) }
		var outcomes int
		s, err := Run(t.Context(), Options{
			Requests: of(all, nil), Send: send, Compare: answers, Loops: 3,
			Each: func(o Outcome, p Progress) {
				if outcomes++; p.Ended != outcomes {
					t.Errorf("%d ended, not %d", p.Ended, outcomes)
				}
			},
		})
		if err != nil || outcomes != 18 || s.Sent != 18 || s.Same != 3 || s.Differs != 6 || s.Answered != 6 || s.Failed != 3 || s.Loops != 3 || s.Errors != 3 || s.Masked != 6 {
			t.Errorf("%v, %d outcomes, %+v", err, outcomes, s)
		}
		if len(s.Unsent) != 1 || s.Unsent[0].Count != 3 || s.Unsent[0].ID != 6 || s.Unsent[0].Kind != "cut body" {
			t.Errorf("not sent: %+v", s.Unsent)
		}
		var worst []uint64
		for _, w := range s.Worst {
			worst = append(worst, w.ID)
			if w.Times != 3 {
				t.Errorf("request %d went wrong %d times", w.ID, w.Times)
			}
		}
		if len(worst) != 3 || worst[0] != 7 || worst[1] != 3 || worst[2] != 2 {
			t.Errorf("the worst first: %v", worst)
		}
		if s.Latency.Count != 15 || s.Then.Count != 9 || s.Then.P50 != time.Millisecond {
			t.Errorf("latency %+v, recorded %+v", s.Latency, s.Then)
		}
	})
}

func TestOnlyTheWorstAreKept(t *testing.T) {
	var w worst
	order := rand.Perm(3 * mostWorst)
	for _, i := range order {
		w.add(&Outcome{Nth: i + 1, Kind: Differs, Result: compare.Result{Differences: []compare.Difference{{Path: "a", Kind: compare.Value, Size: compare.Size(i)}}}})
	}
	all := w.all()
	if len(all) != mostWorst || all[0].Nth != 3*mostWorst || all[mostWorst-1].Nth != 2*mostWorst+1 {
		t.Errorf("%d are kept, from %d to %d", len(all), all[0].Nth, all[len(all)-1].Nth)
	}
}

func TestAHistogramHasEveryDurationOnce(t *testing.T) {
	h := newHistogram()
	all := []time.Duration{0, time.Microsecond, 150 * time.Microsecond, time.Millisecond, 3 * time.Second, 5 * time.Hour}
	for _, d := range all {
		record(h, d)
	}
	var n int64
	got := bars(h)
	for i, b := range got {
		n += b.Count
		if i > 0 && b.From != got[i-1].To {
			t.Errorf("after %s comes %s", got[i-1].To, b.From)
		}
	}
	if n != int64(len(all)) || got[0].Count != 2 || got[len(got)-1].Count != 1 {
		t.Errorf("%d of %d are there: %+v", n, len(all), got)
	}
	if len(bars(newHistogram())) != 0 || timesOf(newHistogram()) != (Times{}) {
		t.Error("an empty histogram has bars")
	}
	if times := timesOf(h); times.Max > longest+longest/1000 || times.P50 > 151*time.Microsecond || times.P50 < 149*time.Microsecond {
		t.Errorf("got %+v", times)
	}
}
