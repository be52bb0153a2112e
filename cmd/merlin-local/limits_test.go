//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// limited is a repo of one model with a memory limit of 200 MiB.
const limited = "model: iris\nimage: %s\nargs: %s\nresource_request: { memory_request: 100Mi, cpu_request: 250m, cpu_limit: \"1\" }\n"

func limitedRepo(t *testing.T, args string, more ...string) *lab {
	t.Helper()
	_, image := prebuilt(t)
	return newLab(t, "", map[string]string{"merlin-local.yaml": fmt.Sprintf(limited, image, args) + strings.Join(more, "")})
}

func TestALoadAboveTheMemoryLimitIsReportedOOMKilledWithItsPeak(t *testing.T) {
	l := limitedRepo(t, "-load 300")
	begun := time.Now()
	out, code := l.run("up", "-d", "-o", "json", "--runtime", "docker", "--port", "0")
	if code != exitFailed {
		t.Errorf("the exit code is %d", code)
	}
	told, exit := exitOf(t, out)
	if exit.Code != 137 || !exit.OOMKilled || exit.OOMKills < 1 || exit.MemoryLimit != 200<<20 || exit.MemoryPeak < exit.MemoryLimit {
		t.Errorf("the exit is %+v", exit)
	}
	died := l.died(begun)
	t.Logf("told %s after the container died", told.Sub(died))
	if told.Before(died) || told.Sub(died) > patience { // how long it takes is no matter of a test
		t.Errorf("it died at %s and was told at %s", died, told)
	}
	l.nothingLeft()
}

// exitOf finds the one exit in a session's events.
func exitOf(t *testing.T, lines string) (at time.Time, exit event.Exited) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var e event.Event
		if json.Unmarshal([]byte(line), &e) != nil {
			continue
		}
		if f, ok := e.Fact.(event.Exited); ok {
			return e.Time, f
		}
	}
	t.Fatalf("no exit is told in:\n%s", lines)
	return at, exit
}

// died is when the Engine saw a container of the session die.
func (l *lab) died(since time.Time) time.Time {
	l.t.Helper()
	var e struct{ TimeNano int64 }
	filter := url.QueryEscape(`{"event":["die"],"label":["dev.merlin-local.session=` + l.session.ID + `"]}`)
	path := fmt.Sprintf("/events?since=%d&until=%d&filters=%s", since.Unix(), time.Now().Unix()+1, filter)
	check(l.t, l.call(http.MethodGet, path, &e))
	return time.Unix(0, e.TimeNano)
}

func TestWhatAContainerTakesIsShownAgainstItsLimits(t *testing.T) {
	l := limitedRepo(t, "-load 50")
	l.up()
	await(t, "a sample has come that has the load", func() bool { // the first one may be of the start
		u := l.status().Models[0].Usage
		return u != nil && u.Memory >= 50<<20
	})
	m := l.status().Models[0]
	u := m.Pods[0].Usage
	if u.Memory < 50<<20 || u.MemoryPeak < u.Memory || u.MemoryLimit != 200<<20 || u.PIDs < 1 || m.Usage.Memory < 50<<20 {
		t.Errorf("it takes %+v, all %+v", u, m.Usage)
	}
	contains(t, l.must("status"), "THROTTLED", "200Mi", " of 1 ")
	l.must("down")
	l.nothingLeft()
}

func TestWithNoLimitsAContainerHasNoneAndUpSaysSo(t *testing.T) {
	l := limitedRepo(t, "-load 300")
	contains(t, l.up("--no-limits"), "warning: --no-limits", "ready in")
	h := l.inspect().HostConfig
	if h.Memory != 0 || h.MemorySwap != 0 || h.CPUPeriod != 0 || h.CPUQuota != 0 {
		t.Errorf("limits are %+v", h)
	}
	contains(t, l.must("status", "--parity"), "turned off by --no-limits")
	l.must("down")
	l.nothingLeft()
}

func TestRequestsThatALivenessRestartCutsAreCounted(t *testing.T) {
	l := limitedRepo(t, "-predict-gate /never",
		"liveness_probe: { kind: http, path: /missing, initial_delay: 2s, period: 1s, failure_threshold: 2 }\n")
	l.up()
	out, code := l.run("predict", "-d", "{}")
	if code != exitFailed {
		t.Errorf("predict ended with %d: %s", code, out)
	}
	await(t, "the cut request is counted", func() bool { return l.status().Models[0].RequestsCut == 1 })
	contains(t, l.must("status"), "1 request(s) were cut by a stop")
	l.must("down")
	l.nothingLeft()
}

func TestAModelThatIgnoresSIGTERMIsToldWithWhatToDo(t *testing.T) {
	l := limitedRepo(t, "-stubborn")
	up := l.foreground("up", "--runtime", "docker", "--port", "0", "--grace", "100ms")
	await(t, "the model is ready", func() bool { return strings.Contains(up.String(), "ready in") })
	l.must("down")
	_ = up.Wait()
	contains(t, up.String(), "ignored SIGTERM for 100ms and was killed", "next: handle SIGTERM")
	l.nothingLeft()
}
