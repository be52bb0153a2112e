package control

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// FaultRequest asks for faults, or for their end.
type FaultRequest struct {
	Model string        // empty is all
	Set   []string      // as a person writes them: "latency=200ms"
	For   time.Duration // after which they end by themselves; 0 is with the session
	// Clear are kinds that end; with none, and nothing in Set, all do.
	Clear []string
}

// fault takes POST /fault?model=ID&set=SPEC&for=5m and DELETE /fault?model=ID&kind=KIND.
func (s *Server) fault(w http.ResponseWriter, r *http.Request) {
	asked := FaultRequest{Model: r.FormValue("model")}
	if r.Method == http.MethodDelete {
		asked.Clear = r.Form["kind"]
	} else if asked.Set = r.Form["set"]; len(asked.Set) == 0 {
		http.Error(w, "set is missing: give a fault, as latency=200ms", http.StatusBadRequest)
		return
	}
	if text := r.FormValue("for"); text != "" {
		var err error
		if asked.For, err = time.ParseDuration(text); err != nil || asked.For <= 0 {
			http.Error(w, fmt.Sprintf("for=%s: it is a time above 0, as 5m", text), http.StatusBadRequest)
			return
		}
	}
	if err := s.Fault(r.Context(), asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Fault asks for faults, or for their end, and returns once they are as asked.
func (s Session) Fault(ctx context.Context, asked FaultRequest) error {
	method, values := http.MethodPost, url.Values{"set": asked.Set}
	if len(asked.Set) == 0 {
		method, values = http.MethodDelete, url.Values{"kind": asked.Clear}
	}
	if asked.Model != "" {
		values.Set("model", asked.Model)
	}
	if asked.For > 0 {
		values.Set("for", asked.For.String())
	}
	response, err := s.call(ctx, method, "/fault?"+values.Encode())
	if err != nil {
		return err
	}
	return response.Body.Close()
}
