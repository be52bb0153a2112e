package watch

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// BenchmarkTree measures what it takes to watch 50,000 files in 551 folders: to the
// first set with nothing known and with a cache, then the processor's share and the
// memory of doing nothing. `make bench-watch` runs it.
func BenchmarkTree(b *testing.B) {
	const files, folders, idle = 50_000, 525, 30 * time.Second // and 25 above those, and the root
	root := filepath.Join(b.TempDir(), "root")
	fill(b, root, folders, files)
	for _, poll := range []bool{false, true} {
		name := "notifications"
		if poll {
			name = "polling"
		}
		b.Run(name, func(b *testing.B) {
			cache := b.TempDir()
			measure(b, Options{Root: root, Cache: cache, Poll: poll}, "cold", 0)
			measure(b, Options{Root: root, Cache: cache, Poll: poll}, "cached", idle)
			b.ReportMetric(0, "ns/op")
		})
	}
}

func measure(b *testing.B, o Options, name string, idle time.Duration) {
	b.Helper()
	w, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	ended, started := make(chan error, 1), make(chan struct{})
	began, used := time.Now(), processorTime(b)
	go func() { ended <- w.Run(ctx, func(Set) { close(started) }) }()
	select {
	case <-started:
	case err := <-ended:
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(began).Seconds(), name+"-start-s")
	b.ReportMetric((processorTime(b) - used).Seconds(), name+"-start-cpu-s")
	if idle > 0 {
		before := processorTime(b)
		time.Sleep(idle)
		b.ReportMetric(100*(processorTime(b)-before).Seconds()/idle.Seconds(), "idle-cpu-%")
		b.ReportMetric(status(b, "VmRSS:"), "rss-MB")
		b.ReportMetric(status(b, "VmHWM:"), "peak-rss-MB")
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// status is a line of the kernel's account of this process, in MB.
func status(b *testing.B, line string) float64 {
	b.Helper()
	content, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := bytes.Cut(content, []byte(line))
	kB, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kB) / 1024
}
