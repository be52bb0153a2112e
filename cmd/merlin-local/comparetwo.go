package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// The exchanges of a recording that wait for the same request of the other are bounded: those that
// wait longest are given up.
const (
	mostWaiting      = 10_000
	mostWaitingBytes = 256 << 20
)

// recordings compares the answers of two recordings to the requests that both have: the first
// of one with the first of the same in the other, and so on.
func (q *comparing) recordings(ctx context.Context, other string) error {
	second, err := findRequests(q.named(other), q.c.InOrStdin())
	if err != nil {
		return err
	}
	defer second.close()
	q.report.Was, q.report.Is = "of "+q.source.name, "of "+second.name
	sides := [2]*recordedSide{newRecordedSide(q.source), newRecordedSide(second)}
	defer sides[0].stop()
	defer sides[1].stop()
	for !sides[0].over || !sides[1].over {
		for i, side := range sides {
			x, err := side.next()
			if err != nil {
				return err
			}
			if ctx.Err() != nil {
				return nil
			}
			if x != nil && (q.limit == 0 || side.nth <= q.limit) {
				q.meet(sides, i, *x)
			}
		}
	}
	for _, side := range sides {
		for len(side.order) > 0 {
			side.giveUp(q.report)
		}
	}
	return nil
}

// meet compares an exchange with the one of the other side that waits for it, or has it wait.
func (q *comparing) meet(sides [2]*recordedSide, i int, x event.Exchange) {
	mine, others := sides[i], sides[1-i]
	if !hasAnswer(x) {
		q.report.skip("no recorded answer in "+mine.name, 1)
		return
	}
	key := requestKey(&x)
	y, there := others.take(key)
	if !there {
		mine.wait(key, waiting{x, mine.nth}, q.report)
		return
	}
	was, is := waiting{x, mine.nth}, y
	if i == 1 {
		was, is = is, was
	}
	q.report.took(was.Took, is.Took)
	q.report.add(compared{was.nth, was.Exchange, q.rules.answers(was.Exchange, is.Exchange)})
}

// requestKey is the same for the same request. Host and headers are not in it: they tell where it
// was sent, and by whom.
func requestKey(x *event.Exchange) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(x.Method), []byte(x.Path), []byte(x.Query), x.Request.Body} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		_, _ = h.Write(size[:]) // it takes all
		_, _ = h.Write(part)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// recordedSide is one of two recordings while they are compared.
type recordedSide struct {
	name string
	nth  int // of the last exchange
	over bool
	pull func() (event.Exchange, error, bool)
	stop func()

	waiting map[[sha256.Size]byte][]waiting
	order   [][sha256.Size]byte // of those that wait, and of some that do not any more
	count   int
	bytes   int64
}

// waiting is an exchange whose like has not come yet.
type waiting struct {
	event.Exchange
	nth int
}

func (w *waiting) bytes() int64 { return int64(len(w.Request.Body) + len(w.Answer.Body) + 1000) }

func newRecordedSide(s *requestSource) *recordedSide {
	side := &recordedSide{name: s.name, waiting: map[[sha256.Size]byte][]waiting{}}
	side.pull, side.stop = iter.Pull2(s.requests())
	return side
}

// next is the next exchange; nil at the end.
func (s *recordedSide) next() (*event.Exchange, error) {
	if s.over {
		return nil, nil
	}
	x, err, more := s.pull()
	switch {
	case !more:
		s.over = true
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	s.nth++
	return &x, nil
}

func (s *recordedSide) take(key [sha256.Size]byte) (waiting, bool) {
	all := s.waiting[key]
	if len(all) == 0 {
		return waiting{}, false
	}
	first := all[0]
	if s.waiting[key] = all[1:]; len(all) == 1 {
		delete(s.waiting, key)
	}
	s.count--
	s.bytes -= first.bytes()
	return first, true
}

func (s *recordedSide) wait(key [sha256.Size]byte, w waiting, r *comparison) {
	s.waiting[key] = append(s.waiting[key], w)
	s.order = append(s.order, key)
	s.count++
	s.bytes += w.bytes()
	for s.count > mostWaiting || s.bytes > mostWaitingBytes {
		s.giveUp(r)
	}
	if len(s.order) > 4*mostWaiting {
		s.forget()
	}
}

// giveUp says that the one that waits longest has no like.
func (s *recordedSide) giveUp(r *comparison) {
	key := s.order[0]
	s.order = s.order[1:]
	if _, there := s.take(key); there {
		r.skip("only in "+s.name, 1)
	}
}

// forget drops from the order what does not wait any more.
func (s *recordedSide) forget() {
	left := map[[sha256.Size]byte]int{}
	for key, all := range s.waiting {
		left[key] = len(all)
	}
	kept := s.order[:0:0]
	for i := len(s.order) - 1; i >= 0; i-- { // of the same requests the later ones wait
		if key := s.order[i]; left[key] > 0 {
			left[key]--
			kept = append(kept, key)
		}
	}
	for i, j := 0, len(kept)-1; i < j; i, j = i+1, j-1 {
		kept[i], kept[j] = kept[j], kept[i]
	}
	s.order = kept
}
