//go:build unix

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/pins"
)

// pinnedSession is a runner with one pin, before a server that answers as handler does.
func pinnedSession(t *testing.T, handler http.HandlerFunc) (*pinRunner, *event.Subscription) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	stream := event.NewStream()
	stream.Publish("", 0, event.Session{ID: "s"})
	stream.Publish("", 0, event.Listening{Address: server.Listener.Addr().String()})
	stream.Publish("iris-1", 0, event.Declared{Name: "iris", Version: "1", FullName: "iris-1", Project: "p", Host: "iris-1.p.localhost"})
	s := &upSession{stream: stream}
	r := s.newPinRunner(&config.File{Dir: t.TempDir()})
	x := event.Exchange{Model: "iris-1"}
	x.Method, x.Host, x.Path, x.Proto, x.Status = http.MethodPost, "localhost", "/v1/models/iris-1:predict", "HTTP/1.1", http.StatusOK
	x.Answer.Body, x.Answer.Size = []byte(`{"n":1}`), 7
	p, err := pins.New("a", x)
	check(t, err)
	check(t, r.store.Add(p))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); r.run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return r, stream.Subscribe()
}

// nextPins is what is told next of pins.
func nextPins(t *testing.T, events *event.Subscription) event.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		all, err := events.Next(ctx)
		check(t, err)
		for _, e := range all {
			if _, is := e.Fact.(event.Pins); is {
				return e
			}
		}
	}
}

func TestANewerRevisionEndsTheReplayOfPinsAndBeginsItsOwn(t *testing.T) {
	asked, given := make(chan struct{}, 1), make(chan struct{}, 1)
	var requests atomic.Int64
	r, events := pinnedSession(t, func(w http.ResponseWriter, request *http.Request) {
		if requests.Add(1) == 1 {
			asked <- struct{}{}
			<-request.Context().Done() // it would take for ever
			given <- struct{}{}
			return
		}
		_, _ = w.Write([]byte(`{"n":1}`))
	})
	r.serves("iris-1", 1)
	<-asked
	r.serves("iris-1", 2)
	<-given
	e := nextPins(t, events)
	if v := e.Fact.(event.Pins).Verdicts; e.Revision != 2 || e.Model != "iris-1" || len(v) != 1 || v[0].Outcome != event.PinPass {
		t.Errorf("revision %d: %+v", e.Revision, v)
	}
}

func TestChangedRulesAndPinsAreHeededAtOnce(t *testing.T) {
	r, events := pinnedSession(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"n":2}`)) })
	r.serves("iris-1", 1)
	if v := nextPins(t, events).Fact.(event.Pins).Verdicts; v[0].Outcome != event.PinChanged || v[0].Why != "n: 2, was 1" {
		t.Errorf("%+v", v)
	}
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, config.FileName), []byte("model: iris\nimage: i\ncompare: {absolute: 1}\n"), 0o644))
	file, err := config.Load(config.Options{Dir: dir})
	check(t, err)
	r.follow(file)
	if v := nextPins(t, events).Fact.(event.Pins).Verdicts; v[0].Outcome != event.PinPass {
		t.Errorf("%+v", v)
	}
	r.stream.Publish("iris-1", 1, event.Pins{Verdicts: []event.PinVerdict{{Name: "a"}}})
	nextPins(t, events)
	check(t, r.store.Remove("a"))
	r.again()
	if v := nextPins(t, events).Fact.(event.Pins).Verdicts; len(v) != 0 {
		t.Errorf("there are none any more: %+v", v)
	}
}

func TestAPinWithoutAnAnswerFailsAndNoSecretIsTold(t *testing.T) {
	r, events := pinnedSession(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"n":"hunter22"}`)) })
	r.hidden = func(x event.Exchange) event.Exchange {
		x.Answer.Body = []byte(strings.ReplaceAll(string(x.Answer.Body), "hunter22", "********"))
		return x
	}
	r.serves("iris-1", 1)
	if v := nextPins(t, events).Fact.(event.Pins).Verdicts[0]; v.Outcome != event.PinChanged || strings.Contains(v.Why+v.Is, "hunter22") {
		t.Errorf("%+v", v)
	}
	r.state = func() *session.State {
		return &session.State{Address: "127.0.0.1:1", Models: []*session.Model{{ID: "iris-1", Name: "iris", FullName: "iris-1"}}}
	}
	r.again()
	if v := nextPins(t, events).Fact.(event.Pins).Verdicts[0]; v.Outcome != event.PinFailed || !strings.Contains(v.Why, "127.0.0.1:1") {
		t.Errorf("%+v", v)
	}
}
