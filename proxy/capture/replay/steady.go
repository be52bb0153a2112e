package replay

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Steady sends one request after the other. A server whose handler fails may close the
// connection behind its answer, as uvicorn does, and what the port sends on it just then
// fails by that: production answers such a request with 502, too. Whoever wants to know
// what the model says to each request does not want that, so it is sent again, once. What
// was answered before the first is not known, and may have been a failure. It is for one
// goroutine at a time.
type Steady struct {
	*Client
	well bool // the last answer was no failure of the server's
}

// NewSteady makes one with a client of its own for the server at base.
func NewSteady(base *url.URL) *Steady { return &Steady{Client: NewClient(base, 1)} }

// Send is Client.Send.
func (s *Steady) Send(ctx context.Context, x event.Exchange) (event.Exchange, error) {
	is, err := s.Client.Send(ctx, x)
	if !s.well && err == nil && metClosing(&is) {
		is, err = s.Client.Send(ctx, x)
	}
	s.well = err == nil && is.Status < http.StatusInternalServerError
	return is, err
}

// metClosing tells the port's answer where a connection was closed before any of the
// model's came: its body is Go's words for that.
func metClosing(x *event.Exchange) bool {
	if x.Status != http.StatusBadGateway || len(x.Answer.Body) > 1<<10 {
		return false
	}
	body := strings.TrimSpace(string(x.Answer.Body))
	for _, words := range []string{"connection reset by peer", "broken pipe", "EOF", "server closed idle connection"} {
		if strings.HasSuffix(body, words) {
			return true
		}
	}
	return false
}
