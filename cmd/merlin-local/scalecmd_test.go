//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// trickle URL N FILE: N requests one after the other, with pauses of up to a second between, a
// line each into the file: how long it took. Any but a 200 is a failure.
func trickle(ts *testscript.TestScript, _ bool, args []string) {
	var took strings.Builder
	for range number(ts, args[1]) {
		begun := time.Now()
		answer, err := http.Post(args[0], "application/json", strings.NewReader("{}"))
		ts.Check(err)
		body, err := io.ReadAll(answer.Body)
		ts.Check(err)
		fmt.Fprintln(&took, time.Since(begun).Nanoseconds())
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			ts.Fatalf("%s: %s", answer.Status, body)
		}
		time.Sleep(400*time.Millisecond + rand.N(600*time.Millisecond)) // the next one may fall into any phase
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(took.String()), 0o644))
}

// coldstarts EVENTS TOOK: there are cold starts among the events; each is the sum of its
// parts, and what the port and the client say of the request that it made wait.
func coldstarts(ts *testscript.TestScript, _ bool, args []string) {
	var served []event.Served
	var starts []event.ColdStart
	for _, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n") {
		var e event.Event
		ts.Check(json.Unmarshal([]byte(line), &e))
		switch f := e.Fact.(type) {
		case event.Served:
			served = append(served, f)
		case event.ColdStart:
			starts = append(starts, f)
		}
	}
	clients := strings.Fields(ts.ReadFile(args[1]))
	if len(starts) == 0 || len(served) != len(clients) {
		ts.Fatalf("%d cold starts; %d requests, and the client has sent %d", len(starts), len(served), len(clients))
	}
	for i, f := range served {
		client := time.Duration(number(ts, clients[i]))
		if f.Took > client {
			ts.Fatalf("request %d took %s, and %s for its client", i, f.Took, client)
		}
		if len(starts) == 0 || f.Held == 0 || f.Took != starts[0].Total {
			continue
		}
		c := starts[0]
		starts = starts[1:]
		ts.Logf("%+v; %s more for the client", c, client-c.Total)
		if sum := c.Create + c.Process + c.Listening + c.Ready + c.Answer; sum != c.Total || min(c.Create, c.Process, c.Listening, c.Ready, c.Answer) < 0 {
			ts.Fatalf("its parts add up to %s: %+v", sum, c)
		}
	}
	if len(starts) > 0 {
		ts.Fatalf("no request took as long as %+v", starts[0])
	}
}
