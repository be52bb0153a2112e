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

// What the screen costs: the program's own processor time, from the kernel, with the
// screen in a real terminal of 120x40 and, in the same run, without a view. Run by
// `make bench-screen`; nothing fails by time.
func BenchmarkScreen(b *testing.B) {
	if testing.Short() {
		b.Skip("it takes minutes")
	}
	for b.Loop() {
		off := measureScreen(b, false)
		on := measureScreen(b, true)
		b.ReportMetric(100*on.idle, "%-of-a-core-idle")
		b.ReportMetric(100*(on.fixed-off.fixed), "%-of-a-core-at-5000/s")
		b.ReportMetric(off.saturated, "req/s-without")
		b.ReportMetric(on.saturated, "req/s-with")
		b.ReportMetric(100*(1-on.saturated/off.saturated), "%-off-the-rate")
		b.Logf("idle: %.2f %% of a core with the screen, %.2f %% without; wanted: below 0.5 %%", 100*on.idle, 100*off.idle)
		b.Logf("at %d requests a second: %.1f %% of a core with, %.1f %% without: the screen takes %.1f %%; wanted: at most 15 %%", fixedRate, 100*on.fixed, 100*off.fixed, 100*(on.fixed-off.fixed))
		b.Logf("(sent %.0f and %.0f a second)", on.sent, off.sent)
		b.Logf("saturated: %.0f requests a second with, %.0f without: %.1f %% off; wanted: at most 8 %%", on.saturated, off.saturated, 100*(1-on.saturated/off.saturated))
		b.Logf("resident memory after it: %.1f MiB with, %.1f MiB without", on.memory, off.memory)
	}
}

// screenCost is processor time a second of wall time.
type screenCost struct{ idle, fixed, sent, saturated, memory float64 }

const (
	fixedRate   = 5000
	measureFor  = 10 * time.Second
	settleFor   = 12 * time.Second // the start's own work is over, and its probes are
	connections = 32
)

func measureScreen(b *testing.B, screen bool) (cost screenCost) {
	l := sample(b, "iris-http-go")
	defer l.run("down")
	if screen {
		term := newTmux(l, 120, 40)
		term.shell("merlin-local up --runtime process --port 0")
		term.await("iris-1 READY")
	} else {
		l.must("up", "-d", "--runtime", "process", "--port", "0")
	}
	pid := l.session.Owner().PID
	url := "http://" + l.status().Address + "/v1/models/iris-1:predict"
	body, err := os.ReadFile(l.repo + "/" + exampleName)
	if err != nil {
		b.Fatal(err)
	}
	time.Sleep(settleFor)
	cost.idle = share(b, pid, func() { time.Sleep(measureFor) })
	cost.fixed = share(b, pid, func() { cost.sent = loadAt(url, string(body), fixedRate) })
	cost.saturated = loadAt(url, string(body), 0)
	cost.memory = memoryOf(b, pid)
	return cost
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

// share is how much of a core a process took while something ran.
func share(b *testing.B, pid int, during func()) float64 {
	began, before := time.Now(), processorTime(b, pid)
	during()
	return (processorTime(b, pid) - before).Seconds() / time.Since(began).Seconds()
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
