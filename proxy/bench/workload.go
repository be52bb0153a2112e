package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// workload is one kind of load.
type workload struct {
	name  string // for people
	short string // for the flag
	open  opener
	// paced is true where the rate says nothing, as the backend sets the pace.
	paced bool
}

func (w workload) key() string { return w.short }

const largeBody = 10 << 20

func workloads() []workload {
	return []workload{
		{name: httpOne, short: "http-1", open: openHTTP(1)},
		{name: httpMany, short: "http-32", open: openHTTP(32)},
		{name: "gRPC unary, 1 connection x 1 stream", short: "grpc-1x1", open: openGRPC(1, 1)},
		{name: grpcMany, short: "grpc-4x16", open: openGRPC(4, 16)},
		{
			name: "10 MB up, then 10 MB down, HTTP/1.1, 1 connection", short: "large",
			open: openWires(1, func(w *wire) (time.Duration, error) { return w.exchange(largeBody) }),
		},
		{name: "Server-sent events, from the backend's write to the client", short: "sse", open: openEvents, paced: true},
		{name: "HTTP/1.1 JSON, 1 KB up and 1 KB down, 8 connections", short: "http-1k", open: openWires(8, (*wire).predictKB)},
	}
}

// The workloads that targets name.
const (
	httpOne  = "HTTP/1.1 JSON, 1 connection"
	httpMany = "HTTP/1.1 JSON, 32 connections"
	grpcMany = "gRPC unary, 4 connections x 16 streams"
)

// sample is what one cell measured.
type sample struct {
	rate     float64 // requests a second
	p50, p99 time.Duration
	cpu      time.Duration // of the subject, a request; 0 where unknown
	peak     int64         // of the subject's resident bytes; 0 where unknown
}

// slack is how much longer than it should a cell may take.
const slack = 20 * time.Second

// cell runs one workload through one subject.
func cell(ctx context.Context, s *subject, w workload, measured time.Duration) (sample, error) {
	warm := measured / 4
	ctx, cancel := context.WithTimeout(ctx, warm+measured+slack)
	defer cancel()
	callers, done, err := w.open(ctx, s)
	if err != nil {
		return sample{}, err
	}
	defer done()
	// A call that waits for an answer does not look at the context.
	defer context.AfterFunc(ctx, done)()
	family := s.child.family()
	family.resetPeak()
	d := &drive{callers: callers, warm: warm, measured: measured}
	used, err := d.run(ctx, family.cpu)
	if err != nil {
		return sample{}, err
	}
	one := d.sample()
	one.peak = family.peak()
	if len(d.took) > 0 {
		one.cpu = used / time.Duration(len(d.took))
	}
	return one, nil
}

// drive is a closed loop: every caller calls again as soon as it is answered.
type drive struct {
	callers        []caller
	warm, measured time.Duration
	took           []time.Duration // of the calls that ended in the measured time
}

// run returns what clock gained in the measured time.
func (d *drive) run(ctx context.Context, clock func() time.Duration) (time.Duration, error) {
	from := time.Now().Add(d.warm)
	until := from.Add(d.measured)
	took := make([][]time.Duration, len(d.callers))
	var stop atomic.Bool
	loops, ctx := errgroup.WithContext(ctx)
	for i, call := range d.callers {
		loops.Go(func() (err error) {
			took[i], err = loop(call, from, until, &stop)
			return err
		})
	}
	wait(ctx, from)
	began := clock()
	wait(ctx, until)
	used := clock() - began
	stop.Store(true)
	err := loops.Wait()
	for _, t := range took {
		d.took = append(d.took, t...)
	}
	if err == nil && len(d.took) == 0 {
		err = fmt.Errorf("nothing was answered within %v", d.measured)
	}
	return used, err
}

func loop(call caller, from, until time.Time, stop *atomic.Bool) ([]time.Duration, error) {
	took := make([]time.Duration, 0, 1<<14)
	for !stop.Load() {
		t, err := call()
		if err != nil {
			return nil, err
		}
		if now := time.Now(); now.After(from) && !now.After(until) {
			took = append(took, t)
		}
	}
	return took, nil
}

// wait returns at a time, or when the context ends.
func wait(ctx context.Context, until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (d *drive) sample() sample {
	return sample{
		rate: float64(len(d.took)) / d.measured.Seconds(),
		p50:  percentile(d.took, 50),
		p99:  percentile(d.took, 99),
	}
}
