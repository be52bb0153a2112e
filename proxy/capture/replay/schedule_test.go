package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// recorded are n requests that arrived at these times after the first, in the order of the recording.
func recorded(arrivals ...time.Duration) []event.Exchange {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []event.Exchange
	for i, d := range arrivals {
		all = append(all, event.Exchange{Served: event.Served{ID: uint64(i + 1), Method: "GET", Path: "/", Status: 200}, Arrived: begin.Add(d)})
	}
	return all
}

// many are n requests without a time.
func many(n int) []event.Exchange {
	all := make([]event.Exchange, n)
	for i := range all {
		all[i] = event.Exchange{Served: event.Served{ID: uint64(i + 1), Method: "GET", Path: "/", Status: 200}}
	}
	return all
}

func of(all []event.Exchange, end error) func() iter.Seq2[event.Exchange, error] {
	return func() iter.Seq2[event.Exchange, error] {
		return func(yield func(event.Exchange, error) bool) {
			for _, x := range all {
				if !yield(x, nil) {
					return
				}
			}
			if end != nil {
				yield(event.Exchange{}, end)
			}
		}
	}
}

// server answers after a time, and notes when it was asked.
type server struct {
	mu    sync.Mutex
	begin time.Time
	asked []string
	most  int // at a time
	now   int
	takes func(event.Exchange) time.Duration
}

func (s *server) send(ctx context.Context, x event.Exchange) (event.Exchange, error) {
	s.mu.Lock()
	s.asked = append(s.asked, fmt.Sprintf("%d@%s", x.ID, time.Since(s.begin)))
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.now--; s.mu.Unlock() }()
	if s.takes != nil {
		select {
		case <-time.After(s.takes(x)):
		case <-ctx.Done():
			return event.Exchange{}, ctx.Err()
		}
	}
	x.Answer = event.Message{}
	return x, nil
}

func takes(d time.Duration) func(event.Exchange) time.Duration {
	return func(event.Exchange) time.Duration { return d }
}

func TestRequestsAreSentWhenTheScheduleSaysSo(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		name  string
		o     Options
		takes time.Duration
		want  string
	}{
		{"one by one", Options{Requests: of(many(3), nil)}, 10 * ms, "1@0s 2@10ms 3@20ms"},
		{"two at a time", Options{Requests: of(many(4), nil), Concurrency: 2}, 10 * ms, "1@0s 2@0s 3@10ms 4@10ms"},
		{"at a rate, whatever the answers take", Options{Requests: of(many(3), nil), Pace: Pace{Rate: 1000}}, time.Second, "1@0s 2@1ms 3@2ms"},
		{"at a rate, with few under way", Options{Requests: of(many(3), nil), Pace: Pace{Rate: 1000}, Concurrency: 2}, time.Second, "1@0s 2@1ms 3@1s"},
		{"at the recorded pace", Options{Requests: of(recorded(0, 30*ms, 40*ms), nil), Pace: Pace{Speed: 1}}, time.Second, "1@0s 2@30ms 3@40ms"},
		{"in the order of arrival", Options{Requests: of(recorded(30*ms, 0, 10*ms), nil), Pace: Pace{Speed: 1}}, time.Second, "2@0s 3@10ms 1@30ms"},
		{"twice as fast", Options{Requests: of(recorded(0, 30*ms), nil), Pace: Pace{Speed: 2}}, time.Second, "1@0s 2@15ms"},
		{"loops at the recorded pace", Options{Requests: of(recorded(0, 10*ms, 40*ms), nil), Pace: Pace{Speed: 1}, Loops: 2}, 0, "1@0s 2@10ms 3@40ms 1@60ms 2@70ms 3@100ms"},
		{"loops of one request", Options{Requests: of(recorded(0), nil), Pace: Pace{Speed: 2}, Loops: 3}, 0, "1@0s 1@500ms 1@1s"},
		{"loops at a rate", Options{Requests: of(many(2), nil), Pace: Pace{Rate: 100}, Loops: 2}, 0, "1@0s 2@10ms 1@20ms 2@30ms"},
		{"a part of each loop", Options{Requests: of(many(5), nil), Loops: 2, Limit: 2}, ms, "1@0s 2@1ms 1@2ms 2@3ms"},
		{"for a time", Options{Requests: of(many(2), nil), Duration: 25 * ms}, 10 * ms, "1@0s 2@10ms 1@20ms"},
		{"for a time at a rate", Options{Requests: of(many(2), nil), Duration: 25 * ms, Pace: Pace{Rate: 100}}, time.Second, "1@0s 2@10ms 1@20ms"},
		{"for a time that ends with one of them", Options{Requests: of(many(2), nil), Duration: 20 * ms, Pace: Pace{Rate: 100}}, time.Second, "1@0s 2@10ms"},
		{"for a time, but not longer than there are requests", Options{Requests: of(many(2), nil), Duration: time.Hour, Loops: 1}, ms, "1@0s 2@1ms"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{begin: time.Now(), takes: takes(row.takes)}
				row.o.Send = s.send
				summary, err := Run(t.Context(), row.o)
				if err != nil {
					t.Fatal(err)
				}
				got := s.asked
				if row.o.Concurrency == 2 && !row.o.Pace.open() { // the two of a moment are in no order
					slices.Sort(got)
				}
				if strings.Join(got, " ") != row.want {
					t.Errorf("got  %s\nwant %s", strings.Join(got, " "), row.want)
				}
				if summary.Sent != len(got) || summary.Answered != len(got) || !summary.Ended {
					t.Errorf("%d of %d were counted as sent and %d as answered", summary.Sent, len(got), summary.Answered)
				}
			})
		})
	}
}

// A model that stalls for a second while requests come at 2,000 a second: what a client
// that waits for each answer would see once, all that were due meanwhile have to show.
func TestAStalledModelDoesNotHideItsLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		stalled := func(event.Exchange) time.Duration {
			if at := time.Since(begin); at < time.Second {
				return time.Second - at + time.Millisecond
			}
			return time.Millisecond
		}
		s := &server{begin: begin, takes: stalled}
		summary, err := Run(t.Context(), Options{Requests: of(many(4000), nil), Pace: Pace{Rate: 2000}, Concurrency: 10, Send: s.send})
		if err != nil {
			t.Fatal(err)
		}
		if s.most != 10 || summary.Sent != 4000 {
			t.Fatalf("%d were under way at most, of %d", s.most, summary.Sent)
		}
		// Half of all were due in that second, and waited for 0 to 1 s of it.
		if l := summary.Latency; l.P75 < 200*time.Millisecond || l.Max < time.Second {
			t.Errorf("latency counts from the sending: %+v", l)
		}
		if summary.Service.P75 > 2*time.Millisecond {
			t.Errorf("from the sending, most took 1 ms: %+v", summary.Service)
		}
		if p := summary.Schedule; p.Waited == 0 || p.Longest < 900*time.Millisecond || !p.Held || p.Lag.Max > time.Millisecond || p.Late.Max < 900*time.Millisecond {
			t.Errorf("the model's stall is told as the replay's own lag, or not told: %+v", p)
		}
	})
}

func TestItsOwnLagIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func() iter.Seq2[event.Exchange, error] { // a disk that gives a request every 50 ms
			return func(yield func(event.Exchange, error) bool) {
				for _, x := range many(20) {
					time.Sleep(50 * time.Millisecond)
					if !yield(x, nil) {
						return
					}
				}
			}
		}
		s := &server{begin: time.Now()}
		summary, err := Run(t.Context(), Options{Requests: slow, Pace: Pace{Rate: 100}, Send: s.send})
		if err != nil {
			t.Fatal(err)
		}
		if p := summary.Schedule; p.Held || p.Lag.Max < 700*time.Millisecond || p.Waited != 0 {
			t.Errorf("19 requests that come every 50 ms in place of 10: %+v", p)
		}
		if p := summary.Schedule; p.Missed != 0 {
			t.Errorf("%d are missed, where all were sent", p.Missed)
		}
		if summary.Rate < 19 || summary.Rate > 21 {
			t.Errorf("they are sent at %v a second", summary.Rate)
		}
	})
}

func TestWhatWasDueAndNotSentIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{begin: time.Now(), takes: takes(time.Hour)}
		o := Options{Requests: of(many(5), nil), Pace: Pace{Rate: 100}, Duration: time.Second, Concurrency: 30, Send: s.send}
		summary, err := Run(t.Context(), o)
		if err != nil || summary.Sent != 30 || summary.Schedule.Missed != 70 {
			t.Errorf("%v, %d sent, %+v", err, summary.Sent, summary.Schedule)
		}
	})
}

func TestWhatWasReadBeforeABadLineCounts(t *testing.T) {
	bad := errors.New("line 4: unexpected end")
	for _, speed := range []float64{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{begin: time.Now()}
			summary, err := Run(t.Context(), Options{Requests: of(recorded(0, 5, 3), bad), Pace: Pace{Speed: speed}, Send: s.send, Loops: 2})
			if !errors.Is(err, bad) || summary.Sent != 3 || summary.Answered != 3 {
				t.Errorf("%v, %d sent, %d answered", err, summary.Sent, summary.Answered)
			}
		})
	}
}

func TestNothingToSendIsTold(t *testing.T) {
	if _, err := Run(t.Context(), Options{Requests: of(nil, nil), Duration: time.Hour}); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
	if _, err := Run(t.Context(), Options{Requests: of(many(1), nil), Pace: Pace{Speed: 1}}); !errors.Is(err, errNoTime) || !strings.Contains(err.Error(), "request 1") {
		t.Error(err)
	}
	// None can be sent: a loop without end ends.
	cut := many(2)
	cut[0].Request.Size, cut[1].Request.Size = 9, 8
	summary, err := Run(t.Context(), Options{Requests: of(cut, nil), Duration: time.Hour})
	if err != nil || summary.Sent != 0 || len(summary.Unsent) != 1 || summary.Unsent[0].Count != 2 || summary.Unsent[0].ID != 1 {
		t.Errorf("%v, %+v", err, summary)
	}
}

func TestAnInterruptedReplayTellsWhatRan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Millisecond)
		defer cancel()
		s := &server{begin: time.Now(), takes: takes(10 * time.Millisecond)}
		summary, err := Run(ctx, Options{Requests: of(many(9), nil), Send: s.send, Loops: 1000})
		if err != nil || summary.Ended || summary.Sent != 3 || summary.Answered != 2 || summary.Interrupted != 1 || summary.Failed != 0 {
			t.Errorf("%v, %+v", err, summary)
		}
	})
}

func TestWhatTimesOutCountsWithItsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{begin: time.Now(), takes: takes(time.Hour)}
		summary, err := Run(t.Context(), Options{Requests: of(many(2), nil), Send: s.send, Timeout: time.Second})
		if err != nil || summary.Failed != 2 || summary.Failures[TimedOut] != 2 || summary.Latency.Count != 2 || summary.Latency.Min < 999*time.Millisecond {
			t.Errorf("%v, %+v", err, summary)
		}
		if len(summary.Worst) != 2 || summary.Worst[0].Kind != Failed || summary.Worst[0].ID != 1 {
			t.Errorf("the worst are %+v", summary.Worst)
		}
	})
}

// Requests whose bodies are larger than the budget altogether are sent all the same.
func TestMemoryIsBoundedAndNothingStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		large := make([]byte, 60<<20)
		all := many(12)
		for i := range all {
			all[i].Request = event.Message{Body: large, Size: int64(len(large))}
		}
		s := &server{begin: time.Now(), takes: takes(time.Second)}
		summary, err := Run(t.Context(), Options{Requests: of(all, nil), Send: s.send, Pace: Pace{Rate: 1000}})
		if err != nil || summary.Answered != 12 || s.most > 4 {
			t.Errorf("%v, %d answered, %d under way", err, summary.Answered, s.most)
		}
		if summary.Schedule.Lag.Max > time.Millisecond {
			t.Errorf("room that was not there is told as lag of its own: %+v", summary.Schedule.Lag)
		}
	})
}
