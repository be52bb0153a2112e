//go:build unix

package main

import (
	"context"
	"errors"
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
	"google.golang.org/protobuf/types/known/wrapperspb"

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
// ends; then it lets those that run finish. What a slow machine misses is not made up.
func (l *load) every(ctx context.Context, rate int, ask func(n int) (save int64, err error)) {
	l.running.Go(func() {
		places := make(chan struct{}, mostRunning)
		var asking sync.WaitGroup
		defer asking.Wait()
		pace := time.NewTicker(time.Second / time.Duration(rate))
		defer pace.Stop()
		for n := 0; ; n++ {
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
			places <- struct{}{}
			asking.Go(func() {
				defer func() { <-places }()
				l.once(func() (int64, error) { return ask(n) })
			})
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

// streams are streams that are open all the time. Each stays with the revision that it
// was opened on, which answers every message on it, until that revision's end: it then
// ends in order, and a newer revision serves.
type streams struct {
	load
	opened, ended, messages atomic.Int64
	outlived                atomic.Int64 // messages that were sent after a newer revision was announced
}

// talkEvery is how often each stream says something.
const talkEvery = 100 * time.Millisecond

// keep has one stream open until ctx ends, and then says so in order.
func (s *streams) keep(ctx context.Context, conn *grpc.ClientConn) {
	s.running.Go(func() {
		for ctx.Err() == nil && s.first.Load() == nil {
			s.once(func() (int64, error) { return s.talk(ctx, conn) })
		}
	})
}

// talk opens a stream and returns who answered on it.
func (s *streams) talk(ctx context.Context, conn *grpc.ClientConn) (save int64, err error) {
	own, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := conn.NewStream(own, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/test.Saves/Talk")
	if err != nil {
		return 0, err
	}
	s.opened.Add(1)
	pace := time.NewTicker(talkEvery)
	defer pace.Stop()
	for ctx.Err() == nil {
		answer, err := s.say(stream)
		switch {
		case errors.Is(err, io.EOF) && save != 0:
			s.ended.Add(1)
			return save, s.superseded(ctx, save)
		case err != nil:
			return 0, fmt.Errorf("on the stream of save %d: %w", save, err)
		case save != 0 && answer != save:
			return 0, fmt.Errorf("on the stream of save %d answers save %d", save, answer)
		}
		save = answer
		select {
		case <-pace.C:
		case <-ctx.Done():
		}
	}
	if err := stream.CloseSend(); err != nil {
		return 0, err
	}
	if err := stream.RecvMsg(&wrapperspb.Int64Value{}); !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("the end of the stream of save %d: %w", save, err)
	}
	return save, nil
}

// say sends a message and returns the answer to it; io.EOF once the model has ended the
// stream in order.
func (s *streams) say(stream grpc.ClientStream) (save int64, err error) {
	announced := s.announced.Load()
	if err := stream.SendMsg(wrapperspb.Int64(announced)); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	answer := &wrapperspb.Int64Value{}
	if err := stream.RecvMsg(answer); err != nil {
		return 0, err
	}
	s.messages.Add(1)
	if answer.Value < announced {
		s.outlived.Add(1)
	}
	return answer.Value, nil
}

// superseded waits until a newer save is announced, which is why a stream may end.
func (s *streams) superseded(ctx context.Context, save int64) error {
	again := time.NewTicker(talkEvery)
	defer again.Stop()
	end := time.After(patience)
	for s.announced.Load() <= save {
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil
		case <-end:
			return fmt.Errorf("the model ended the stream of save %d, and no newer one serves", save)
		}
	}
	return nil
}
