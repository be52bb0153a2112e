package emulator

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// card tells why the model does not serve now. It may yet come back.
func (s *supervisor) card(f *Failure) {
	f = s.masked(f)
	s.publish(event.Failed{What: f.What, Why: f.Why, Next: f.Next})
}

// diagnose says how a container ended, with the likely cause.
func (s *supervisor) diagnose(d died, _ ProbeResult) *Failure {
	why := "it wrote nothing"
	if len(d.lastLogs) > 0 {
		why = "its last lines:\n" + strings.Join(d.lastLogs, "\n")
	}
	for _, known := range []string{d.Error, d.why} {
		if known != "" {
			why = known + "; " + why
		}
	}
	return &Failure{Model: s.id, What: d.describe(), Why: why, Next: d.advice()}
}

// endedBeforeReady is a diagnosis that ends the deployment.
func (s *supervisor) endedBeforeReady(d died) *Failure {
	f := s.diagnose(d, ProbeResult{})
	f.What += " before it was ready"
	return f
}

// unanswered says why a model that runs does not become ready.
func (s *supervisor) unanswered(what string, last ProbeResult) *Failure {
	f := &Failure{
		Model: s.id, What: what, Why: fmt.Sprintf("%s: %s", last.Target, last.Outcome),
		Next: "look at its log; a model that only needs longer fails in production too",
	}
	if last.Body != "" {
		f.Why += ": " + last.Body
	}
	switch {
	case last.Outcome == "connection refused":
		f.Next = "listen on all addresses (0.0.0.0, not 127.0.0.1) at the port in CARAML_HTTP_PORT (UPI_V1: CARAML_GRPC_PORT), and check protocol"
	case last.Status == http.StatusNotFound:
		f.Next = "answer 200 at /v1/models/ with the name in CARAML_MODEL_FULL_NAME once the model is loaded"
	case last.Kind == string(CheckGRPC):
		f.Next = "answer SERVING by the gRPC health service, and check protocol"
	}
	return f
}
