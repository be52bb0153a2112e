//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// witness asks a model again and again, one request after the other, and notes what it
// answers in turn. Any status but 200 is a failure.
type witness struct {
	mu       sync.Mutex
	turns    []string // answers; one that is the same as that before it is left out
	answers  atomic.Int64
	failed   atomic.Pointer[string]
	stop     chan struct{}
	watching sync.WaitGroup
}

func (l *lab) witness(path string) *witness {
	l.t.Helper()
	w := &witness{stop: make(chan struct{})}
	url := "http://" + l.status().Address + path
	pace := time.NewTicker(20 * time.Millisecond)
	l.t.Cleanup(pace.Stop)
	w.watching.Go(func() {
		for {
			if err := w.ask(url); err != nil {
				what := err.Error()
				w.failed.Store(&what)
				return
			}
			select {
			case <-pace.C:
			case <-w.stop:
				return
			}
		}
	})
	return w
}

func (w *witness) ask(url string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s, %w", response.Status, body, err)
	}
	w.answers.Add(1)
	w.note(strings.TrimSpace(string(body)))
	return nil
}

func (w *witness) note(answer string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.turns); n == 0 || w.turns[n-1] != answer {
		w.turns = append(w.turns, answer)
	}
}

// goesOn waits for further answers and tells those that were ever given, in turn.
func (w *witness) goesOn(t *testing.T) (turns []string) {
	t.Helper()
	before := w.answers.Load()
	await(t, "requests are answered", func() bool {
		if what := w.failed.Load(); what != nil {
			t.Fatalf("a request failed: %s", *what)
		}
		return w.answers.Load() > before+5
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.turns)
}

// ends lets it end.
func (w *witness) ends(t *testing.T) {
	t.Helper()
	close(w.stop)
	w.watching.Wait()
	t.Logf("%d requests, all answered", w.answers.Load())
}
