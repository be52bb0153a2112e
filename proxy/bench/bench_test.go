package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPercentileIsTheNearestRank(t *testing.T) {
	hundred := make([]time.Duration, 0, 100)
	for i := 100; i > 0; i-- { // not sorted
		hundred = append(hundred, time.Duration(i))
	}
	for _, row := range []struct {
		values  []time.Duration
		percent float64
		want    time.Duration
	}{
		{nil, 50, 0},
		{[]time.Duration{7}, 50, 7},
		{[]time.Duration{7}, 99, 7},
		{[]time.Duration{2, 1}, 50, 1},
		{[]time.Duration{3, 1, 2}, 50, 2},
		{[]time.Duration{15, 20, 35, 40, 50}, 30, 20},
		{[]time.Duration{15, 20, 35, 40, 50}, 100, 50},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 99.5, 100},
		{hundred, 0, 1},
	} {
		if got := percentile(slices.Clone(row.values), row.percent); got != row.want {
			t.Errorf("percentile %v of %d values is %d, not %d", row.percent, len(row.values), got, row.want)
		}
	}
}

func TestMedianIsTheMiddleOrBetweenTheTwoThere(t *testing.T) {
	for _, row := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{5}, 5}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(row.values); got != row.want {
			t.Errorf("median of %v is %v, not %v", row.values, got, row.want)
		}
	}
}

var update = flag.Bool("update", false, "write the golden files")

func TestReportShowsMediansRatiosAndTargets(t *testing.T) {
	us := time.Microsecond
	many := func(rates ...float64) (s []sample) {
		for _, r := range rates {
			s = append(s, sample{rate: r, p50: 1000 * us, p99: 2500 * us, cpu: 40 * us, peak: 20 << 20})
		}
		return s
	}
	one := func(p50 time.Duration) []sample { return []sample{{rate: 5000, p50: p50, p99: 2 * p50}} }
	all := workloads()
	r := report{
		machine: "2 cores (a CPU)", release: "v1", rounds: 3, cell: time.Second,
		subjects:  []string{direct, merlinLocal, queueProxy},
		workloads: []workload{all[0], all[1], all[3], all[5]},
		samples: [][][]sample{
			{one(100 * us), one(150 * us), one(300 * us)},
			{many(40000, 30000, 20000), many(15000, 14000, 16000), many(6000, 6500, 5000)},
			{many(40000), many(12000), many(6000)},
			{one(80 * us), one(160 * us), one(200 * us)},
		},
		left: []string{"nginx is left out: it is not installed"},
	}
	_, got, _ := strings.Cut(r.markdown(), ", ") // the date
	golden := filepath.Join("testdata", "report.md")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the report is\n%s\nnot\n%s", got, want)
	}
}

func TestReportDoesWithoutThoseThatAreMissing(t *testing.T) {
	r := report{
		subjects:  []string{merlinLocal},
		workloads: workloads()[:1],
		samples:   [][][]sample{{{{rate: 10, p50: 1}}}},
	}
	if got := r.markdown(); strings.Contains(got, "Targets") || !strings.Contains(got, "| merlin-local |") {
		t.Errorf("the report is\n%s", got)
	}
}

// backend runs the bench's own backend and returns it as the direct subject.
func backend(t *testing.T) *subject {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := serveBackend(ctx, ln); err != nil {
			t.Errorf("the backend: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
	return &subject{name: direct, http: ln.Addr().String(), grpc: ln.Addr().String()}
}

// before runs one of the program's own servers before the backend.
func before(t *testing.T, name string, s *subject, run func(context.Context, net.Listener, string) error) *subject {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := run(ctx, ln, s.http); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
	return &subject{name: name, http: ln.Addr().String(), grpc: ln.Addr().String()}
}

func TestEveryWorkloadRunsThroughOurOwnSubjects(t *testing.T) {
	plain := backend(t)
	for _, s := range []*subject{
		plain,
		before(t, merlinLocal, plain, serveMerlinLocal),
		before(t, "ReverseProxy", plain, serveReverseProxy),
	} {
		for _, w := range workloads() {
			t.Run(s.name+"/"+w.short, func(t *testing.T) {
				got, err := cell(t.Context(), s, w, 500*time.Millisecond)
				if err != nil {
					t.Fatal(err)
				}
				if got.rate <= 0 || got.p50 > got.p99 {
					t.Errorf("measured %+v", got)
				}
			})
		}
	}
}

func TestACellEndsWithItsContext(t *testing.T) {
	s := backend(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := cell(ctx, s, workloads()[1], time.Hour); err == nil {
		t.Error("a cell whose context ended has measured something")
	}
}

func TestTheClientReadsWhatProxiesMayMakeOfAResponse(t *testing.T) {
	for name, response := range map[string]string{
		"length":              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"names in lower case": "HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello",
		"chunked":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			go func() {
				_, _ = io.WriteString(theirs, response+response)
				_ = theirs.Close()
			}()
			w := newWire(ours)
			for range 2 { // the second starts where the first ends
				if err := w.discard(5); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestTheClientRefusesWhatIsNoAnswer(t *testing.T) {
	for name, response := range map[string]string{
		"another status": "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nhello",
		"cut short":      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
		"no end of head": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			go func() {
				_, _ = io.WriteString(theirs, response)
				_ = theirs.Close()
			}()
			if err := newWire(ours).discard(5); err == nil {
				t.Error("that was taken for an answer")
			}
		})
	}
}

func TestBodiesAreAsLargeAsTheTableSays(t *testing.T) {
	if len(predictBody) != 200 {
		t.Errorf("the request has %d bytes, not 200", len(predictBody))
	}
	if n := len(prediction); n < 950 || n > 1050 {
		t.Errorf("the response has %d bytes, not about 1,000", n)
	}
	if !bytes.HasSuffix(predictRequest, []byte("\r\n\r\n"+predictBody)) {
		t.Errorf("the request is %q", predictRequest)
	}
}

func TestChoose(t *testing.T) {
	got, err := choose(subjects(), "nginx, direct")
	if err != nil || !slices.Equal(names(got), []string{direct, "nginx"}) {
		t.Errorf("chosen: %v, %v", names(got), err)
	}
	if _, err := choose(subjects(), "apache"); err == nil || !strings.Contains(err.Error(), "merlin-local") {
		t.Errorf("an unknown subject: %v", err)
	}
}

func TestAChildIsStoppedAndItsMemoryKnown(t *testing.T) {
	c, err := startChild(exec.Command("sleep", "60"))
	if err != nil {
		t.Skip(err)
	}
	family := c.family()
	if _, err := os.Stat("/proc/self/stat"); err == nil && family.resident() == 0 {
		t.Error("its memory is not known")
	}
	c.stop()
	<-c.ended()
}
