package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// settle is how long a subject has to come to rest before its memory is read.
const settle = 2 * time.Second

// idle opens connections, uses each once, and reads what the subjects then hold.
func (st *stage) idle(ctx context.Context, connections int) error {
	rows := [][]string{{"", "at rest", fmt.Sprintf("%d idle, HTTP/1.1", connections), fmt.Sprintf("%d idle, gRPC", connections)}}
	for _, s := range st.subjects {
		if s.child == nil {
			continue
		}
		row := []string{s.name, mebibytes(s.child.family().resident())}
		for _, open := range []opener{openHTTP(connections), openGRPC(connections, 1)} {
			held, err := s.idle(ctx, open)
			if err != nil {
				return st.explain(s, fmt.Errorf("idle connections to %s: %w", s.name, err))
			}
			row = append(row, mebibytes(held))
		}
		rows = append(rows, row)
	}
	fmt.Print(align(rows))
	return nil
}

func (s *subject) idle(ctx context.Context, open opener) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	callers, done, err := open(ctx, s)
	if err != nil {
		return 0, err
	}
	defer done()
	for _, call := range callers {
		if _, err := call(); err != nil {
			return 0, err
		}
	}
	wait(ctx, time.Now().Add(settle))
	return s.child.family().resident(), ctx.Err()
}

// large sends a body up and down through every subject.
func (st *stage) large(ctx context.Context, size int64) error {
	rows := [][]string{{"", "before", "peak with " + mebibytes(size) + " up and down", "took"}}
	for _, s := range st.subjects {
		if s.child == nil {
			continue
		}
		f := s.child.family()
		before := f.resident()
		f.resetPeak()
		took, err := s.large(ctx, size)
		if err != nil {
			return st.explain(s, fmt.Errorf("a large body through %s: %w", s.name, err))
		}
		rows = append(rows, []string{s.name, mebibytes(before), mebibytes(f.peak()), took.Round(time.Millisecond).String()})
	}
	fmt.Print(align(rows))
	return nil
}

func (s *subject) large(ctx context.Context, size int64) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	w, err := dial(ctx, s.http)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	defer context.AfterFunc(ctx, func() { _ = w.Close() })()
	return w.exchange(size)
}

// soakStep is how long each workload loads each subject before memory is read.
const soakStep = 5 * time.Second

// soak loads all subjects in turn, workload after workload, and shows their memory
// as time goes by. The first quarter fills pools; from then on it is to stay flat.
func (st *stage) soak(ctx context.Context, length time.Duration, all []workload) error {
	began := time.Now()
	held := make([][]int64, len(st.subjects))
	for time.Since(began) < length {
		for i, s := range st.subjects {
			if s.child == nil {
				continue
			}
			for _, w := range all {
				step := min(soakStep, max(length-time.Since(began), time.Second))
				if _, err := cell(ctx, s, w, step); err != nil {
					return st.explain(s, fmt.Errorf("%s through %s: %w", w.name, s.name, err))
				}
			}
			now := s.child.family().resident()
			held[i] = append(held[i], now)
			fmt.Fprintf(os.Stderr, "%8v  %s  %s\n", time.Since(began).Round(time.Second), s.name, mebibytes(now))
		}
	}
	rows := [][]string{{"", "after the first quarter", "in the end", "highest after the first quarter"}}
	for i, s := range st.subjects {
		if len(held[i]) == 0 {
			continue
		}
		rest := held[i][len(held[i])/4:]
		highest := rest[0]
		for _, n := range rest {
			highest = max(highest, n)
		}
		rows = append(rows, []string{s.name, mebibytes(rest[0]), mebibytes(rest[len(rest)-1]), mebibytes(highest)})
	}
	fmt.Print(align(rows))
	return nil
}
