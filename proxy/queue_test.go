package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAQueueRunsItsLimitAndLetsTenTimesAsManyWaitInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2)
		var order []int
		results := make(chan error, 30)
		admit := make(chan int, 30)
		for i := range 25 {
			go func() {
				err := q.enter(t.Context(), func() {})
				if err == nil {
					admit <- i
				}
				results <- err
			}()
			synctest.Wait() // they arrive one by one
		}
		if len(admit) != 2 || len(results) != 5 || q.length() != 20 {
			t.Fatalf("%d run, %d wait, %d refused; want 2, 20, 3", len(admit), q.length(), len(results)-len(admit))
		}
		for range 22 {
			order = append(order, <-admit)
			q.leave()
			synctest.Wait()
		}
		if !slices.IsSorted(order) {
			t.Errorf("order %v", order)
		}
		full := 0
		for range 25 {
			if errors.Is(<-results, errQueueFull) {
				full++
			}
		}
		if full != 3 || q.running != 0 || q.length() != 0 {
			t.Errorf("%d refused, %d still run, %d still wait", full, q.running, q.length())
		}
	})
}

func TestWhoeverLeavesTheQueueGivesUpItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		if err := q.enter(t.Context(), func() {}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errTimeout)
		defer cancel()
		left, stayed := make(chan error, 1), make(chan error, 1)
		go func() { left <- q.enter(ctx, func() {}) }()
		synctest.Wait()
		go func() { stayed <- q.enter(t.Context(), func() {}) }()
		synctest.Wait()
		time.Sleep(time.Minute) // the bubble's clock
		synctest.Wait()
		if err := <-left; !errors.Is(err, errTimeout) || q.length() != 1 {
			t.Errorf("got %v, %d wait", err, q.length())
		}
		q.leave()
		if err := <-stayed; err != nil || q.running != 1 {
			t.Errorf("got %v, %d run", err, q.running)
		}
		q.leave()
	})
}

func TestAPlaceGivenToOneWhoLeavesGoesToTheNext(t *testing.T) {
	for range 200 { // turn and cancel race
		q := newQueue(1)
		_ = q.enter(t.Context(), func() {})
		ctx, cancel := context.WithCancel(t.Context())
		waits := make(chan struct{})
		var both sync.WaitGroup
		for _, ctx := range []context.Context{ctx, t.Context()} {
			both.Go(func() {
				if q.enter(ctx, func() { waits <- struct{}{} }) == nil {
					q.leave()
				}
			})
			<-waits
		}
		both.Go(cancel)
		q.leave()
		both.Wait()
		if q.running != 0 || q.length() != 0 {
			t.Fatalf("%d run, %d wait", q.running, q.length())
		}
	}
}

func TestNoLimitIsNoQueue(t *testing.T) {
	q := newQueue(0)
	for range 1000 {
		if err := q.enter(t.Context(), func() { t.Error("waits") }); err != nil {
			t.Fatal(err)
		}
	}
	q.leave()
}

func TestContainerConcurrencyIsKeptAndTheRestRefused(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %t", http2), func(t *testing.T) {
			m := iris()
			m.ContainerConcurrency = 2
			var running, most atomic.Int64
			finish := make(chan struct{})
			p := front(t, m, func(http.ResponseWriter, *http.Request) {
				n := running.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				<-finish
				running.Add(-1)
			})
			c := client(t, http2)
			statuses := make(chan int, 25)
			for range 22 {
				go func() { statuses <- statusOf(t, c, p.address) }()
			}
			await(t, "2 run and 20 wait", func() bool { return p.Load("iris-1") == Load{Waiting: 20, Running: 2} && running.Load() == 2 })
			for range 3 {
				res, err := c.Get("http://" + p.address)
				if err != nil {
					t.Fatal(err)
				}
				if got := body(t, res); res.StatusCode != 503 || got != "pending request queue full\n" ||
					res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
					t.Errorf("got %d %q %v", res.StatusCode, got, res.Header)
				}
			}
			close(finish)
			for range 22 {
				if got := <-statuses; got != 200 {
					t.Errorf("got %d", got)
				}
			}
			if most.Load() != 2 {
				t.Errorf("%d at a time, want 2", most.Load())
			}
		})
	}
}

func TestAWaitingRequestNeverReachesTheContainerOnceTimeIsUpOrItsClientLeft(t *testing.T) {
	m := iris()
	m.ContainerConcurrency = 1
	m.Timeout = 200 * time.Millisecond
	finish := make(chan struct{})
	var reached atomic.Int64
	p := front(t, m, func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		w.WriteHeader(200) // stops the clock
		_ = http.NewResponseController(w).Flush()
		<-finish
	})
	first := make(chan int, 1)
	go func() { first <- statusOf(t, client(t, false), p.address) }()
	await(t, "one runs", func() bool { return reached.Load() == 1 })

	conn := p.dial()
	send(t, conn, asks()["POST"])
	await(t, "one waits", func() bool { return p.Load("iris-1").Waiting == 1 })
	_ = conn.Close()
	await(t, "it is forgotten", func() bool { return p.Load("iris-1").Waiting == 0 })

	isTimeout(t, parse(t, p.ask(asks()["POST"])), "request timeout")
	close(finish)
	if got := <-first; got != 200 || reached.Load() != 1 {
		t.Errorf("got %d, the container was reached %d times", got, reached.Load())
	}
}

func statusOf(t testing.TB, c *http.Client, address string) int {
	res, err := c.Get("http://" + address)
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = body(t, res)
	return res.StatusCode
}
