package replay

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

// Summary is what came of a replay. Durations are in nanoseconds in JSON.
type Summary struct {
	// Sent are the requests of which each is one of the next ones.
	Sent        int `json:"sent"`
	Same        int `json:"same"`         // answered as recorded
	Differs     int `json:"differs"`      // answered in another way
	Answered    int `json:"not_compared"` // answered, where there was nothing to compare with
	Failed      int `json:"failed"`       // without a whole answer
	Interrupted int `json:"interrupted"`  // given up because the replay was ended
	// Masked were sent without what the capture had hidden of them.
	Masked int `json:"masked"`
	// Errors are answers of status 500 and above or of a gRPC status that is the server's.
	Errors int `json:"server_errors"`
	// Unforeseen are those of Errors of which no answer was recorded, or none was compared.
	Unforeseen int `json:"unforeseen_server_errors"`
	// Unsent are those that could not be sent, by kind.
	Unsent []Unsent `json:"unsent,omitempty"`
	Loops  int      `json:"loops"` // that were begun

	Took time.Duration `json:"took_ns"` // from the first request's time to the last answer
	Rate float64       `json:"rate"`    // at which they were sent, a second

	Latency Times `json:"latency"` // from when it was to be sent; what timed out counts with its wait
	Service Times `json:"service"` // from when it was sent
	Then    Times `json:"recorded"`
	// Histogram has Latency's counts.
	Histogram []Bar     `json:"histogram"`
	Schedule  *Schedule `json:"schedule,omitempty"` // nil where there is none

	Statuses     map[string]int `json:"statuses"` // by class: "2xx"
	GRPCStatuses map[int]int    `json:"grpc_statuses,omitempty"`
	Failures     map[string]int `json:"failures,omitempty"` // by kind
	// Worst are requests that failed or were answered in another way, the worst first.
	Worst []Worst `json:"worst"`

	Ended bool `json:"ended"` // false where it was interrupted
}

// Unsent are requests that could not be sent for the same reason.
type Unsent struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
	Nth   int    `json:"request"` // the first one
	ID    uint64 `json:"id,omitempty"`
	Text  string `json:"text"` // of the first one
}

// Times are durations in short.
type Times struct {
	Count int64         `json:"count"`
	Min   time.Duration `json:"min_ns"`
	Mean  time.Duration `json:"mean_ns"`
	P50   time.Duration `json:"p50_ns"`
	P75   time.Duration `json:"p75_ns"`
	P90   time.Duration `json:"p90_ns"`
	P95   time.Duration `json:"p95_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p999_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Bar is how many durations are above From and at most To.
type Bar struct {
	From  time.Duration `json:"from_ns"`
	To    time.Duration `json:"to_ns"`
	Count int64         `json:"count"`
}

// Schedule is how an open loop kept to its times.
type Schedule struct {
	// Lag is how late the replay itself sent, once there was room for the request.
	Lag  Times `json:"lag"`
	Held bool  `json:"held"` // by a lag that is of no matter
	// Waited are requests that found as many under way as may be, Longest the longest of
	// these waits. It is in their latency, and in that of those behind them.
	Waited  int           `json:"waited"`
	Longest time.Duration `json:"longest_wait_ns"`
	// Missed were due before Options.Duration was over, and were not sent by then; it is
	// known of a rate that goes on until then.
	Missed int `json:"missed"`
	// Late is how late requests were sent, for whatever reason.
	Late Times `json:"late"`
}

// tolerable is the lag that 99 of 100 requests may have where a schedule is held.
const tolerable = 10 * time.Millisecond

// Worst is one request with what was wrong with its answer.
type Worst struct {
	Nth    int    `json:"request"` // its place in the recording, from 1
	ID     uint64 `json:"id,omitempty"`
	Loop   int    `json:"loop"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Kind   Kind   `json:"outcome"` // Failed or Differs
	// Times is in how many loops it was so; the rest is of the worst one.
	Times       int                  `json:"times"`
	Failure     string               `json:"failure,omitempty"` // its kind
	Error       string               `json:"error,omitempty"`
	Differences []compare.Difference `json:"differences,omitempty"` // the worst first, a few
	More        int                  `json:"more,omitempty"`        // differences
}

// longest is what a histogram can hold; what took longer counts as that.
const longest = 2 * time.Hour

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(longest/time.Microsecond), 3)
}

// record takes a duration into a histogram of microseconds.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(int64(min(max(d, time.Microsecond), longest) / time.Microsecond)) // it is within its bounds
}

func timesOf(h *hdrhistogram.Histogram) Times {
	if h.TotalCount() == 0 {
		return Times{}
	}
	at := func(percent float64) time.Duration {
		return time.Duration(min(h.ValueAtPercentile(percent), h.Max())) * time.Microsecond
	}
	return Times{
		Count: h.TotalCount(), Min: time.Duration(h.Min()) * time.Microsecond, Mean: time.Duration(h.Mean() * float64(time.Microsecond)),
		P50: at(50), P75: at(75), P90: at(90), P95: at(95), P99: at(99), P999: at(99.9),
		Max: time.Duration(h.Max()) * time.Microsecond,
	}
}

// bars cut a histogram at 1, 2 and 5 of each power of ten, from the first that has any to the last.
func bars(h *hdrhistogram.Histogram) []Bar {
	var all []Bar
	for from, step := int64(0), 0; from < int64(longest/time.Microsecond); step++ {
		to := [3]int64{1, 2, 5}[step%3]
		for range step / 3 {
			to *= 10
		}
		all = append(all, Bar{From: time.Duration(from) * time.Microsecond, To: time.Duration(to) * time.Microsecond})
		from = to
	}
	first, last := len(all), -1
	for _, d := range h.Distribution() {
		if d.Count == 0 {
			continue
		}
		i := 0
		for time.Duration(d.From)*time.Microsecond > all[i].To {
			i++
		}
		all[i].Count += d.Count
		first, last = min(first, i), max(last, i)
	}
	if last < 0 {
		return []Bar{}
	}
	return all[first : last+1]
}
