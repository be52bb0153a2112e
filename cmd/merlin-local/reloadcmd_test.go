//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
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
		announced, err := here.State(ctx)
		ts.Check(err)
		ts.Check(askAfter(args[2], announced.Models[0].Serving.Number))
	}
}

// afterPath is asked for once a revision has been announced as serving.
const afterPath = "/after/"

func askAfter(predict string, revision int) error {
	at, err := url.Parse(predict)
	if err != nil {
		return err
	}
	answer, err := http.Get(at.Scheme + "://" + at.Host + afterPath + strconv.Itoa(revision))
	if err != nil {
		return err
	}
	return answer.Body.Close() // the model has no such path
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

// newest EVENTS: no request that was sent after a revision had been announced as serving
// was answered by an older one.
func newest(ts *testscript.TestScript, _ bool, args []string) {
	asked := 0
	for _, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n") {
		var e event.Event
		ts.Check(json.Unmarshal([]byte(line), &e))
		f, served := e.Fact.(event.Served)
		after, isAfter := strings.CutPrefix(f.Path, afterPath)
		if !served || !isAfter {
			continue
		}
		asked++
		if e.Revision < number(ts, after) {
			ts.Fatalf("a request that was sent after revision %s served was answered by revision %d", after, e.Revision)
		}
	}
	if asked == 0 {
		ts.Fatalf("nothing was asked after a revision served")
	}
}
