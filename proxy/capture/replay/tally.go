package replay

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally counts what comes of the requests. It is used by all that send.
type tally struct {
	mu   sync.Mutex
	each func(Outcome, Progress)
	open bool

	s                                 Summary
	latency, service, then, lag, late *hdrhistogram.Histogram
	firstSent, lastSent, lastDone     time.Time
	worst                             worst
	loop                              int // requests of one; 0 before the first is read
}

// sample is when a request was sent and ended.
type sample struct {
	ended     time.Time
	late, own time.Duration // after its time, and of that what is the replay's own
}

func newTally(o *Options) *tally {
	t := &tally{
		each: o.Each, open: o.Pace.open(),
		latency: newHistogram(), service: newHistogram(), then: newHistogram(), lag: newHistogram(), late: newHistogram(),
	}
	t.s.Statuses, t.s.GRPCStatuses, t.s.Failures = map[string]int{}, map[int]int{}, map[string]int{}
	if t.open {
		t.s.Schedule = &Schedule{}
	}
	return t
}

// unsendable counts a request that cannot be sent.
func (t *tally) unsendable(j *job, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var why Unsendable
	if !errors.As(err, &why) {
		why.Kind = Other
	}
	i := slices.IndexFunc(t.s.Unsent, func(u Unsent) bool { return u.Kind == why.Kind })
	if i < 0 {
		i = len(t.s.Unsent)
		t.s.Unsent = append(t.s.Unsent, Unsent{Kind: why.Kind, Nth: j.nth, ID: j.x.ID, Text: err.Error()})
	}
	t.s.Unsent[i].Count++
	t.s.Loops = max(t.s.Loops, j.loop)
}

// perLoop notes how many requests a loop has.
func (t *tally) perLoop(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loop = n
}

// waited counts a request that had to wait because as many were under way as may be.
func (t *tally) waited(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Schedule.Waited++
	t.s.Schedule.Longest = max(t.s.Schedule.Longest, d)
}

// sent counts a request that is about to be sent.
func (t *tally) sent(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Sent++
	if t.firstSent.IsZero() || now.Before(t.firstSent) {
		t.firstSent = now
	}
	if now.After(t.lastSent) {
		t.lastSent = now
	}
}

// ended counts a request that has ended.
func (t *tally) ended(o *Outcome, s sample) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Loops = max(t.s.Loops, o.Loop)
	if s.ended.After(t.lastDone) {
		t.lastDone = s.ended
	}
	if t.open {
		record(t.lag, s.own)
		record(t.late, s.late)
	}
	t.count(o)
	if masked(&o.Was) {
		t.s.Masked++
	}
	if o.Kind != Interrupted && (o.Kind != Failed || o.Failure == TimedOut) {
		record(t.latency, o.Latency)
		record(t.service, o.Took)
		if hasAnswer(&o.Was) && o.Was.Took > 0 {
			record(t.then, o.Was.Took)
		}
	}
	if t.each != nil {
		ended := t.s.Same + t.s.Differs + t.s.Answered + t.s.Failed + t.s.Interrupted
		t.each(*o, Progress{Sent: t.s.Sent, Ended: ended, Failed: t.s.Failed, Differs: t.s.Differs, PerLoop: t.loop})
	}
}

// count counts an outcome by its kind and status.
func (t *tally) count(o *Outcome) {
	switch o.Kind {
	case Same:
		t.s.Same++
	case Differs:
		t.s.Differs++
		t.worst.add(o)
	case Answered:
		t.s.Answered++
	case Interrupted:
		t.s.Interrupted++
		return
	case Failed:
		t.s.Failed++
		t.s.Failures[o.Failure]++
		t.worst.add(o)
		return
	}
	t.s.Statuses[fmt.Sprintf("%dxx", o.Is.Status/100)]++
	if o.Is.GRPCStatus != nil {
		t.s.GRPCStatuses[*o.Is.GRPCStatus]++
	}
	if o.Is.ServersError() {
		t.s.Errors++
		if o.Kind == Answered {
			t.s.Unforeseen++
		}
	}
}

// summary is what there is to say when all has ended.
func (t *tally) summary(interrupted bool) Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.s
	s.Ended = !interrupted
	s.Worst = t.worst.all()
	s.Latency, s.Service, s.Then, s.Histogram = timesOf(t.latency), timesOf(t.service), timesOf(t.then), bars(t.latency)
	if s.Sent > 0 {
		s.Took = max(t.lastDone.Sub(t.firstSent), 0)
	}
	if sending := t.lastSent.Sub(t.firstSent); s.Sent > 1 && sending > 0 {
		s.Rate = float64(s.Sent-1) / sending.Seconds()
	}
	if s.Schedule != nil {
		s.Schedule.Lag, s.Schedule.Late = timesOf(t.lag), timesOf(t.late)
		s.Schedule.Held = s.Schedule.Lag.P99 <= tolerable
	}
	return s
}
