package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What the screen costs: the program's own processor time, from the kernel, of a session
// with the screen in a real terminal of 120x40 and of one without a view. Both live all
// the time and are loaded turn by turn, so that what else the machine does hits both. Run
// by `make bench-screen`; nothing fails by time.
func BenchmarkScreen(b *testing.B) {
	for b.Loop() {
		off, on := newSubject(b, false), newSubject(b, true)
		time.Sleep(settleFor)
		off.idle, on.idle = shares(b, off.pid, on.pid, func() { time.Sleep(idleFor) })
		for range rounds {
			for _, s := range []*subject{off, on} {
				s.fixed = append(s.fixed, s.share(b, func() { s.sent = append(s.sent, s.load(fixedRate)) }))
				s.saturated = append(s.saturated, s.load(0))
			}
		}
		lost := 1 - middle(on.saturated)/middle(off.saturated)
		b.ReportMetric(100*(on.idle-off.idle), "%-of-a-core-idle")
		b.ReportMetric(100*(middle(on.fixed)-middle(off.fixed)), "%-of-a-core-at-5000/s")
		b.ReportMetric(100*lost, "%-off-the-rate")
		b.Logf("idle: %.2f %% of a core with the screen, %.2f %% without: the screen takes %.2f %%; wanted: below 0.5 %%", 100*on.idle, 100*off.idle, 100*(on.idle-off.idle))
		b.Logf("at %d requests a second: %.1f %% of a core with, %.1f %% without: the screen takes %.1f %%; wanted: at most 15 %% (sent %.0f and %.0f)",
			fixedRate, 100*middle(on.fixed), 100*middle(off.fixed), 100*(middle(on.fixed)-middle(off.fixed)), middle(on.sent), middle(off.sent))
		b.Logf("saturated: %.0f requests a second with, %.0f without: %.1f %% off; wanted: at most 8 %%", middle(on.saturated), middle(off.saturated), 100*lost)
		b.Logf("rounds with %.0f, without %.0f", on.saturated, off.saturated)
		b.Logf("resident memory after it: %.1f MiB with, %.1f MiB without", memoryOf(b, on.pid), memoryOf(b, off.pid))
		off.lab.run("down")
		on.lab.run("down")
	}
}

const (
	fixedRate   = 5000
	rounds      = 5
	measureFor  = 5 * time.Second
	idleFor     = 30 * time.Second
	settleFor   = 12 * time.Second // the start's own work is over, and its probes are
	connections = 32
)

// subject is a session that is measured; its numbers are those of rounds.
type subject struct {
	*lab
	pid                    int
	url, body              string
	idle                   float64 // processor time a second of wall time, as fixed
	fixed, sent, saturated []float64
}

func newSubject(b *testing.B, screen bool) *subject {
	s := &subject{lab: sample(b, "iris-http-go")}
	if screen {
		term := newTmux(s.lab, 120, 40)
		term.shell("merlin-local up --runtime process --port 0")
		term.await("iris-1 READY")
	} else {
		s.must("up", "-d", "--runtime", "process", "--port", "0")
	}
	s.pid = s.session.Owner().PID
	s.url = "http://" + s.status().Address + "/v1/models/iris-1:predict"
	body, err := os.ReadFile(s.repo + "/" + exampleName)
	check(b, err)
	s.body = string(body)
	return s
}

func (s *subject) load(rate int) float64 { return loadAt(s.url, s.body, rate) }

func (s *subject) share(b *testing.B, during func()) float64 {
	share, _ := shares(b, s.pid, s.pid, during)
	return share
}

// loadAt sends requests for a while, so many a second or, at 0, as many as come back, and
// returns how many a second were answered with 200.
func loadAt(url, body string, rate int) float64 {
	return loadFor(context.Background(), url, body, rate, measureFor)
}

func loadFor(ctx context.Context, url, body string, rate int, lasts time.Duration) float64 {
	ctx, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	due := make(chan struct{}, fixedRate)
	if rate > 0 {
		go func() {
			began, sent := time.Now(), 0
			for ctx.Err() == nil {
				for ; sent < int(time.Since(began).Seconds()*float64(rate)); sent++ {
					select {
					case due <- struct{}{}:
					default: // behind: that is seen in what was sent
					}
				}
				time.Sleep(time.Millisecond)
			}
		}()
	} else {
		close(due)
	}
	var ok atomic.Int64
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			for ctx.Err() == nil {
				select {
				case <-due:
				case <-ctx.Done():
					return
				}
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
				if err != nil {
					return
				}
				answer, err := client.Do(request)
				if err != nil {
					continue
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					ok.Add(1)
				}
			}
		})
	}
	workers.Wait()
	return float64(ok.Load()) / lasts.Seconds()
}

// shares are how much of a core two processes took while something ran.
func shares(b *testing.B, one, other int, during func()) (ofOne, ofOther float64) {
	began, before, beforeOther := time.Now(), processorTime(b, one), processorTime(b, other)
	during()
	passed := time.Since(began).Seconds()
	return (processorTime(b, one) - before).Seconds() / passed, (processorTime(b, other) - beforeOther).Seconds() / passed
}

// processorTime is all that the process took so far; the kernel counts in hundredths.
func processorTime(b *testing.B, pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] { // user and system time
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
