//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// reloads N FILE URL: N saves of two files in turn (one alone would look like a loop at
// this pace), each served by a new revision before the next,
// while four clients ask again and again. Any answer but a 200 is a failure.
func reloads(ts *testscript.TestScript, _ bool, args []string) {
	ctx, stop := context.WithCancel(context.Background())
	var failed atomic.Pointer[string]
	var clients sync.WaitGroup
	defer clients.Wait()
	defer stop()
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if what := predictOnce(args[2]); what != "" {
					failed.Store(&what)
					return
				}
				time.Sleep(10 * time.Millisecond) // some 300 a second, all together
			}
		})
	}
	here := control.Home(ts.Getenv("MERLIN_LOCAL_HOME")).Session(ts.MkAbs("."))
	for i := range number(ts, args[0]) {
		before, err := here.State(ctx)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(fmt.Sprint(i%2, args[1])), fmt.Appendln(nil, "save", i), 0o644))
		until(ts, "a new revision serves", func() bool {
			if failed.Load() != nil {
				return true
			}
			now, err := here.State(ctx)
			return err == nil && now.Models[0].Serving.Number > before.Models[0].Serving.Number && now.Models[0].Stale == nil
		})
		if what := failed.Load(); what != nil {
			ts.Fatalf("amid reload %d: %s", i+1, *what)
		}
	}
}

func predictOnce(url string) (failure string) {
	answer, err := http.Post(url, "application/json", strings.NewReader("{}"))
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Sprintf("%s: %s, %v", answer.Status, body, err)
	}
	return ""
}

// newest EVENTS: no request that came after a revision was announced as serving was
// answered by an older one.
func newest(ts *testscript.TestScript, _ bool, args []string) {
	since := map[int]time.Time{}
	served := 0
	for _, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n") {
		var e event.Event
		ts.Check(json.Unmarshal([]byte(line), &e))
		switch f := e.Fact.(type) {
		case event.Serving:
			since[e.Revision] = e.Time
		case event.Served:
			served++
			came := e.Time.Add(-f.Took)
			for revision, at := range since {
				if revision > e.Revision && came.After(at) {
					ts.Fatalf("a request that came %s after revision %d served was answered by revision %d", came.Sub(at), revision, e.Revision)
				}
			}
		}
	}
	if served == 0 || len(since) < 2 {
		ts.Fatalf("%d requests and %d revisions: there is nothing to compare", served, len(since))
	}
}
