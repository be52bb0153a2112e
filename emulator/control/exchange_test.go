package control_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestACapturedExchangeIsReadOverTheSocket(t *testing.T) {
	s := newSession(t)
	want := event.Exchange{
		Served:  event.Served{ID: 7, Method: "POST", Status: 200},
		Request: event.Message{Header: []event.Field{{Name: "A", Value: "b"}}, Body: []byte("\x00\xff\n"), Size: 3},
	}
	server := &control.Server{
		Exchange: func(id uint64) (event.Exchange, error) {
			if id != 7 {
				return event.Exchange{}, fmt.Errorf("request %d was never there", id)
			}
			return want, nil
		},
		Search: func(_ context.Context, text string) ([]uint64, bool) {
			if text != "a&b=c d" {
				t.Errorf("asked for %q", text)
			}
			return []uint64{9, 7}, false
		},
		Kept: func() []uint64 { return []uint64{9, 8, 7} },
	}
	defer serveAll(t, s, server)()
	if got, err := s.Exchange(t.Context(), 7); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := s.Exchange(t.Context(), 8); err == nil || !strings.HasSuffix(err.Error(), "404 Not Found): request 8 was never there") {
		t.Errorf("error is %v", err)
	}
	if got, err := s.Search(t.Context(), "a&b=c d"); err != nil || !reflect.DeepEqual(got, control.Found{IDs: []uint64{9, 7}}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := s.Kept(t.Context()); err != nil || !reflect.DeepEqual(got, []uint64{9, 8, 7}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := s.Search(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "search is empty") {
		t.Errorf("error is %v", err)
	}
}

func TestASessionThatCapturesNothingSaysSo(t *testing.T) {
	s := newSession(t)
	defer serveAll(t, s, &control.Server{})()
	_, lookup := s.Exchange(t.Context(), 7)
	_, search := s.Search(t.Context(), "x")
	_, kept := s.Kept(t.Context())
	for _, err := range []error{lookup, search, kept} {
		if err == nil || !strings.Contains(err.Error(), "captures no exchanges") {
			t.Errorf("error is %v", err)
		}
	}
}

func TestASessionIsToldOfFilesThatOthersWrite(t *testing.T) {
	s := newSession(t)
	told := ""
	server := &control.Server{Writes: func(path string) error {
		if told = path; path == "" {
			return errors.New("no path")
		}
		return nil
	}}
	defer serveAll(t, s, server)()
	if err := s.Writes(t.Context(), "/a b/ü&.jsonl"); err != nil || told != "/a b/ü&.jsonl" {
		t.Errorf("told %q, %v", told, err)
	}
	if err := s.Writes(t.Context(), ""); err == nil || !strings.HasSuffix(err.Error(), "no path") {
		t.Errorf("error is %v", err)
	}
}

func TestAnExchangeOfNoSessionIsToldAsThat(t *testing.T) {
	if _, err := newSession(t).Exchange(t.Context(), 1); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("error is %v", err)
	}
}

func TestWhatAModelRunsWithIsReadOverTheSocket(t *testing.T) {
	s := newSession(t)
	want := control.Configuration{Text: "model: iris\n", ModelDir: "/repo/model"}
	defer serveAll(t, s, &control.Server{Configuration: func(model string) (control.Configuration, error) {
		if model != "iris-1" {
			return control.Configuration{}, fmt.Errorf("there is no model %s", model)
		}
		return want, nil
	}})()
	if got, err := s.Configuration(t.Context(), "iris-1"); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := s.Configuration(t.Context(), "iris-2"); err == nil || !strings.Contains(err.Error(), "no model iris-2") {
		t.Errorf("error is %v", err)
	}
}
