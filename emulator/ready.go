package emulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// probePeriod is Knative's own before a model is ready.
	probePeriod = 50 * time.Millisecond
	// probeEager is the first wait; it doubles up to probePeriod, so that a model
	// that starts in no time is not kept waiting.
	probeEager = 5 * time.Millisecond
)

// errDied says that the replica ended while it was waited for.
var errDied = errors.New("the replica ended")

// awaitReady probes until the replica is ready. It returns errDied where the replica
// ends first (its exit then is known), a *Failure at the deadline, or ctx's error.
func (s *supervisor) awaitReady(ctx context.Context, r *replica) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Deadline, errDeadline)
	results := make(chan ProbeResult)
	go s.probe(ctx, r, results)
	defer func() {
		cancel()
		for range results { // until the prober is gone
		}
	}()

	var last ProbeResult
	for {
		select {
		case result, more := <-results:
			if !more {
				return s.notReady(ctx, last)
			}
			if result.Outcome != last.Outcome || result.OK {
				s.publish(result)
			}
			last = result
			if result.OK {
				return nil
			}
		case exit := <-r.container.Exited():
			r.exit = &exit
			return errDied
		}
	}
}

var errDeadline = errors.New("deadline")

func (s *supervisor) notReady(ctx context.Context, last ProbeResult) error {
	if context.Cause(ctx) != errDeadline {
		return ctx.Err()
	}
	failure := &Failure{
		Model: s.id,
		What:  fmt.Sprintf("was not ready within the deployment timeout of %s", s.Deadline),
		Why:   fmt.Sprintf("%s: %s", last.Target, last.Outcome),
		Next:  "look at its log; a model that only needs longer fails in production too",
	}
	if last.Body != "" {
		failure.Why += ": " + last.Body
	}
	switch {
	case last.Outcome == "connection refused":
		failure.Next = "listen on all addresses (0.0.0.0, not 127.0.0.1) at the port in CARAML_HTTP_PORT (UPI_V1: CARAML_GRPC_PORT), and check protocol"
	case last.Status == http.StatusNotFound:
		failure.Next = "answer 200 at /v1/models/ with the name in CARAML_MODEL_FULL_NAME once the model is loaded"
	case last.Kind == "grpc":
		failure.Next = "answer SERVING by the gRPC health service, and check protocol"
	}
	return failure
}

// probe sends the outcome of one attempt after another until one is good or ctx
// ends, then closes results.
func (s *supervisor) probe(ctx context.Context, r *replica, results chan<- ProbeResult) {
	defer close(results)
	wait := probeEager
	for {
		result := s.Prober.Probe(ctx, s.model.Deployment.Protocol, r.container.Address(), s.model.Deployment.FullName())
		select {
		case results <- result:
		case <-ctx.Done():
			return
		}
		if result.OK {
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, probePeriod)
	}
}
