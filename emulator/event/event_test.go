package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func facts() []event.Fact {
	grpc := 14
	until := time.Unix(2, 0).UTC()
	return []event.Fact{
		event.Session{Format: event.Format, ID: "s", Version: "v1", Dir: "/repo", PID: 7, Runtime: "docker", Engine: "Docker Engine"},
		event.Listening{Address: "127.0.0.1:8080", Metrics: "127.0.0.1:9091"},
		event.Declared{Project: "sample", Name: "iris", Version: "1", Redeployment: 2, FullName: "iris-1-r2", Protocol: "HTTP_JSON", Image: "i", Host: "h"},
		event.PhaseChanged{Phase: event.PhaseReady, Why: "why"},
		event.Step{Stage: event.StageBuild, ID: "1", Name: "COPY", State: event.StepDone, Detail: "d", Took: 5},
		event.Log{Source: event.LogModel, Replica: "abc", Stderr: true, Text: "line \x1b[31m \u2028"},
		event.Built{Image: "sha256:1", Took: 9},
		event.Started{Replica: "abc", Container: "abcdef", Name: "n", Image: "i", Address: "a:1", Reach: "address", CPULimit: "8", MemoryLimit: "1Gi", EffectiveCPUs: 2},
		event.Probed{Kind: "http", Target: "GET /", OK: true, Status: 200, Outcome: "200 OK", Body: "b", Took: 3},
		event.Exited{Replica: "abc", Code: 137, Signal: "SIGKILL", OOMKilled: true, Error: "e", Expected: true, LastLogs: []string{"x"}, MemoryPeak: 2, MemoryLimit: 3},
		event.OutOfMemory{Pod: "p", Replica: "abc", Kills: 1, MemoryPeak: 2, MemoryLimit: 3},
		event.Engine{Answers: true, Error: "e", Away: 4, Running: 1, Ended: 2},
		event.Slept{Took: 5},
		event.Terminated{Pod: "p", Replica: "abc", Grace: 6, Killed: true, Cut: 2, Next: "n"},
		event.Usage{Pod: "p", Replica: "abc", CPU: 0.5, CPUTime: 7, Throttled: 8, ThrottledShare: 0.25, Memory: 1, MemoryPeak: 2, MemoryLimit: 3, PIDs: 4},
		event.Autoscaler{Class: "kpa", Metric: "rps", Target: 14, Min: 1, Max: 3, TimeScale: 10},
		event.Scaled{Metric: "rps", Observed: 30.5, Window: 6, Target: 14, From: 1, Desired: 3, Ready: 1, Panic: true, Why: "why"},
		event.ColdStart{Pod: "p", Create: 1, Process: 2, Listening: 3, Ready: 4, Answer: 5, Total: 15, Restarts: 1},
		event.Failed{
			What: "what", Why: "why", Next: "next", Cause: event.CauseOOMKilled, Certainty: event.Certain, Final: true, Pod: "p",
			Exit: &event.Ending{Code: 137, Signal: "SIGKILL", Meaning: "killed", OOMKilled: true, Error: "e"}, Probe: &event.Probed{Outcome: "o"},
			LastLogs: []string{"x"}, MemoryPeak: 1, MemoryLimit: 2,
		},
		event.Edited{Files: []string{"app.py"}, More: 2, Tier: event.TierSync, File: "app.py", Why: "w"},
		event.SinceLastRun{Files: []string{"app.py"}, More: 2},
		event.Reloading{Tier: event.TierSync, File: "app.py", Why: "w", Replaces: "r"},
		event.Serving{Image: "sha256:1", Sources: "ab", Tier: event.TierSync, File: "app.py", Took: 3, Steps: []event.ReloadStep{{Name: "start", Took: 2}}},
		event.Debugger{Kind: "delve", Address: "127.0.0.1:40000", Launch: json.RawMessage(`{"type":"go"}`), Note: "n"},
		event.Attached{On: true},
		event.Edited{Files: []string{"b.py"}, Tier: event.TierSync, File: "b.py", Why: "y", Waits: "w"},
		event.ReloadStuck{Card: event.Failed{What: "w", Why: "y", Next: "n"}},
		event.ReloadEnded{Tier: event.TierRebuild, File: "app.py", Cancelled: "c", Card: &event.Failed{What: "w", Why: "y", Next: "n"}, Took: 4, Steps: []event.ReloadStep{{Name: "image", Took: 2}}},
		event.Faults{On: []event.Fault{{Kind: "latency", Spec: "latency=1s", Since: time.Unix(1, 0).UTC(), Until: &until}}},
		event.Faults{On: []event.Fault{}},
		event.Served{ID: 9, Method: "POST", Host: "h", Path: "/p", Proto: "HTTP/2.0", Status: 200, GRPCStatus: &grpc, Replica: "r", Held: 1, Queued: 5, Sent: 6, FirstByte: 7, Took: 2, BytesIn: 3, BytesOut: 4, Error: "e", Fault: "drop"},
		event.Exchange{
			Served: event.Served{ID: 9, Method: "POST", Path: "/p", Status: 200, GRPCStatus: &grpc, Took: 2},
			Query:  "?a=1", Model: "iris-1", Revision: 2, Arrived: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
			Request: event.Message{Header: []event.Field{{Name: "A", Value: "\x1b[31m"}}, Body: []byte{0, 1, 0xff, '\n'}, Size: 9, Cut: "why"},
			Answer:  event.Message{Trailer: []event.Field{{Name: "grpc-status", Value: "14"}}},
		},
		event.Capture{Kept: 1, Evicted: 2, Lost: 3, Cut: 4, Bytes: 5, Most: 6, Disk: 7, DiskMost: 8},
		event.Traffic{Rate: 1.5, InFlight: 1, Queued: 2, Held: 3, Percentiles: event.Percentiles{P50: 4, P95: 5, P99: 6}, Overall: event.Percentiles{P50: 1, P95: 2, P99: 3}, Requests: 7, Errors: 8},
		event.Environment{
			Pod:       "p",
			Variables: []event.Variable{{Name: "N", Value: "v", Origin: event.OriginSecret, Secret: "s", Hidden: true, Verdict: event.Approximated, Remark: "r"}},
			Mounts:    []event.Mount{{Kind: event.MountArtifact, From: "f", Source: "s", Target: "t", ReadOnly: true, Copied: true, Files: 1, Bytes: 2, Verdict: event.Same, Remark: "r"}},
			Command:   event.Words{Words: []string{"c", ""}, Origin: event.OriginImage, Remark: "r"}, Args: event.Words{Words: []string{"a"}, Origin: event.OriginUser},
			User: "root", WorkingDir: "/w", Port: 8080, Requests: event.Amounts{CPU: "1", Memory: "2Gi"}, Limits: event.Amounts{CPU: "8"}, LimitsHold: true, Remark: "r",
			Notes: []string{"n"},
		},
		event.Scraped{
			Pod: "p", Source: event.MetricsScraped, At: time.Unix(1, 2).UTC(), Took: 3, Bytes: 4, Series: 9, Cut: "c",
			Families: []event.Family{
				{Name: "n", Help: "h\nh", Type: event.Counter, Unit: "u", Series: []event.Series{{Labels: map[string]string{"a": "b\x1b"}, Value: 1.5}, {Value: event.Number(math.Inf(1))}}},
				{Name: "h", Type: event.Histogram, Series: []event.Series{{Count: 3, Sum: 4, Buckets: []event.Bucket{{UpTo: 0.1, Count: 1}, {UpTo: event.Number(math.Inf(1)), Count: 3}}}}},
				{Name: "s", Type: event.Summary, Series: []event.Series{{Count: 3, Sum: -4, Quantiles: []event.Quantile{{Share: 0.5, Value: event.Number(math.Inf(-1))}}}}},
			},
		},
		event.Scraped{Source: event.MetricsPushed, Grouping: map[string]string{"job": "j"}, At: time.Unix(1, 0).UTC(), Error: "e", Gone: true},
		event.Notice{Level: event.NoticeWarning, Text: "t"},
		event.Dropped{Count: 3},
		event.Ended{Error: "e"},
	}
}

func TestEveryFactSurvivesItsJSONLine(t *testing.T) {
	stream := event.NewStream()
	sub := stream.Subscribe()
	for _, f := range facts() {
		stream.Publish("iris-1", 2, f)
	}
	events, err := sub.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != len(facts()) {
		t.Fatalf("got %d events", len(events))
	}
	for _, want := range events {
		line, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got event.Event
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s came back as %#v, want %#v", line, got, want)
		}
		if strings.ContainsAny(string(line), "\n\x1b") {
			t.Errorf("%q is not one clean line", line)
		}
	}
}

func TestAnUnknownKindIsAnErrorThatNamesIt(t *testing.T) {
	var e event.Event
	err := json.Unmarshal([]byte(`{"seq":4,"kind":"teleported","fact":{}}`), &e)
	if err == nil || !strings.Contains(err.Error(), `event 4: unknown kind "teleported"`) {
		t.Errorf("error is %v", err)
	}
}

func TestNextGivesAllThatIsPending(t *testing.T) {
	stream := event.NewStream()
	sub := stream.Subscribe()
	for i := range 3 {
		stream.Publish("m", i, event.Notice{})
	}
	events, err := sub.Next(t.Context())
	if err != nil || len(events) != 3 || events[0].Seq != 1 || events[2].Seq != 3 {
		t.Errorf("got %v, %v", events, err)
	}
}

func TestNextWaitsForAPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := event.NewStream()
		sub := stream.Subscribe()
		got := make(chan []event.Event)
		go func() {
			events, _ := sub.Next(t.Context())
			got <- events
		}()
		synctest.Wait()
		stream.Publish("", 0, event.Notice{Text: "now"})
		if events := <-got; len(events) != 1 {
			t.Errorf("got %v", events)
		}
	})
}

func TestNextEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := event.NewStream().Subscribe().Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestAfterCloseThePendingIsReadAndThenTheEnd(t *testing.T) {
	stream := event.NewStream()
	sub := stream.Subscribe()
	stream.Publish("", 0, event.Ended{})
	stream.Close()
	stream.Publish("", 0, event.Notice{Text: "too late"})
	if events, err := sub.Next(t.Context()); err != nil || len(events) != 1 {
		t.Errorf("got %v, %v", events, err)
	}
	if _, err := sub.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("error is %v", err)
	}
	if _, err := stream.Subscribe().Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("a late subscriber got %v", err)
	}
}

func TestACancelledSubscriptionGetsNoMore(t *testing.T) {
	stream := event.NewStream()
	sub := stream.Subscribe()
	sub.Cancel()
	stream.Publish("", 0, event.Notice{})
	if _, err := sub.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("error is %v", err)
	}
}

func TestASlowReaderLosesOnlyLossyFactsAndIsToldHowMany(t *testing.T) {
	stream := event.NewStream()
	sub := stream.Subscribe()
	const logs = 10_000
	for range logs {
		stream.Publish("m", 1, event.Log{Text: "x"})
	}
	stream.Publish("m", 1, event.PhaseChanged{Phase: event.PhaseReady})
	events, err := sub.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	dropped, ok := last.Fact.(event.Dropped)
	if !ok {
		t.Fatalf("the last event is %#v", last)
	}
	if _, ok := events[len(events)-2].Fact.(event.PhaseChanged); !ok {
		t.Errorf("the phase was lost")
	}
	if kept := len(events) - 2; kept+dropped.Count != logs {
		t.Errorf("kept %d and dropped %d of %d", kept, dropped.Count, logs)
	}
}

func TestALateReaderFirstGetsWhatIsKept(t *testing.T) {
	stream := event.NewStream()
	stream.Publish("", 0, event.Session{ID: "s"})
	stream.Publish("m", 1, event.Log{Text: "first"})
	for range 30_000 {
		stream.Publish("m", 1, event.Served{})
	}
	sub := stream.Replay()
	stream.Publish("m", 1, event.Log{Text: "second"})
	events, err := sub.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(events) > 3_000 {
		t.Errorf("kept %d events: history is not bounded", len(events))
	}
	if _, ok := events[0].Fact.(event.Session); !ok {
		t.Errorf("the first event is %#v", events[0])
	}
	var texts []string
	for i, e := range events {
		if log, ok := e.Fact.(event.Log); ok {
			texts = append(texts, log.Text)
		}
		if i > 0 && e.Seq <= events[i-1].Seq {
			t.Fatalf("event %d comes after %d", e.Seq, events[i-1].Seq)
		}
	}
	if !reflect.DeepEqual(texts, []string{"first", "second"}) {
		t.Errorf("logs are %q", texts)
	}
}

func TestHistoryKeepsLogsWithinTheirBytes(t *testing.T) {
	stream := event.NewStream()
	for i := range 3_000 {
		stream.Publish("m", 1, event.Log{Text: strings.Repeat("x", 16<<10) + strconv.Itoa(i)})
	}
	total := 0
	for _, e := range stream.History() {
		total += len(e.Fact.(event.Log).Text)
	}
	if total == 0 || total > 17<<20 {
		t.Errorf("history holds %d bytes of logs", total)
	}
}

func BenchmarkPublishWithAReader(b *testing.B) {
	stream := event.NewStream()
	sub := stream.Subscribe()
	go func() {
		for {
			if _, err := sub.Next(b.Context()); err != nil {
				return
			}
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		stream.Publish("iris-1", 1, event.Served{Method: "POST", Path: "/v1/models/iris-1:predict", Status: 200})
	}
	stream.Close()
}
