//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/caraml-dev/merlin-local/emulator/session"
)

// load asks a model of savemodel's kind again and again, and compares each answer with
// what had been announced before the request was sent.
type load struct {
	name      string
	wanted    int64        // answers after each announcement, before the next save
	announced atomic.Int64 // the save that serves, as far as anybody was told

	sent, answered, failed, stale atomic.Int64
	fresh                         atomic.Int64 // answers to requests that were sent since the last announcement
	first                         atomic.Pointer[string]
	running                       sync.WaitGroup
	begun                         time.Time
}

func newLoad(name string, wanted int64) *load {
	return &load{name: name, wanted: wanted, begun: time.Now()}
}

// String tells what came of it.
func (l *load) String() string {
	return fmt.Sprintf("%s: %d sent (%.0f a second), %d answered, %d failed, %d stale", l.name, l.sent.Load(),
		float64(l.sent.Load())/time.Since(l.begun).Seconds(), l.answered.Load(), l.failed.Load(), l.stale.Load())
}

// announce notes that a save serves: who asks from now on is not answered by an older one.
func (l *load) announce(save int64) {
	l.announced.Store(save)
	l.fresh.Store(0)
}

// fail notes what went wrong; the first is told.
func (l *load) fail(format string, args ...any) {
	what := l.name + ": " + fmt.Sprintf(format, args...)
	l.first.CompareAndSwap(nil, &what)
}

// once sends one request.
func (l *load) once(ask func() (save int64, err error)) {
	least := l.announced.Load()
	l.sent.Add(1)
	save, err := ask()
	switch {
	case err != nil:
		l.failed.Add(1)
		l.fail("after save %d was announced: %v", least, err)
	case save < least:
		l.stale.Add(1)
		l.fail("a request that was sent after save %d was announced was answered by save %d", least, save)
	default:
		l.answered.Add(1)
		if least == l.announced.Load() {
			l.fresh.Add(1)
		}
	}
}

// mostRunning bounds the requests under way: a machine that is too slow is sent fewer.
const mostRunning = 256

// every sends requests at a rate, whether or not those before are answered, until ctx
// ends; then it lets those that run finish. What a busy machine misses is made up within
// a second, or never.
func (l *load) every(ctx context.Context, rate int, ask func(n int) (save int64, err error)) {
	l.running.Go(func() {
		places := make(chan struct{}, mostRunning)
		var asking sync.WaitGroup
		defer asking.Wait()
		pace := time.NewTicker(time.Second / time.Duration(rate))
		defer pace.Stop()
		begun := time.Now()
		for n, missed := 0, 0; ctx.Err() == nil; {
			due := int(time.Since(begun).Seconds() * float64(rate))
			missed = max(missed, due-n-rate)
			for ; n+missed < due; n++ {
				places <- struct{}{}
				number := n
				asking.Go(func() {
					defer func() { <-places }()
					l.once(func() (int64, error) { return ask(number) })
				})
			}
			select {
			case <-pace.C:
			case <-ctx.Done():
			}
		}
	})
}

// workOf is how long the n-th request takes the model, in milliseconds: most are quick,
// and some still run when a revision goes.
func workOf(n int) string {
	if n%50 == 0 {
		return "700"
	}
	return "3"
}

// predictor asks over HTTP, every tenth time on a connection of its own.
func predictor(m *session.Model) func(n int) (int64, error) {
	kept := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: mostRunning}}
	own := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(n int) (int64, error) {
		request, err := http.NewRequest(http.MethodPost, m.URLs.Predict, strings.NewReader(workOf(n)))
		if err != nil {
			return 0, err
		}
		request.Host = m.URLs.Host
		client := kept
		if n%10 == 0 {
			client = own
		}
		response, err := client.Do(request)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		switch {
		case err != nil:
			return 0, err
		case response.StatusCode != http.StatusOK:
			return 0, fmt.Errorf("%s: %s", response.Status, body)
		}
		return strconv.ParseInt(string(body), 10, 64)
	}
}

// dial connects with a model as gRPC clients do that retry nothing.
func dial(t *testing.T, m *session.Model) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+m.URLs.GRPC, grpc.WithAuthority(m.URLs.Host),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	check(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// caller asks over gRPC.
func caller(conn *grpc.ClientConn) func(n int) (int64, error) {
	client := upiv1.NewUniversalPredictionServiceClient(conn)
	return func(n int) (int64, error) {
		answer, err := client.PredictValues(context.Background(), &upiv1.PredictValuesRequest{TargetName: workOf(n)})
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(answer.GetMetadata().GetModels()[0].GetVersion(), 10, 64)
	}
}
