package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// ErrNotRunning says that no `up` answers for the session.
var ErrNotRunning = errors.New("no `up` is running here: start it with `merlin-local up`")

// Query chooses events.
type Query struct {
	Skip   []string // kinds that are not wanted
	Follow bool     // go on until the session ends
}

// Events reads what is kept of the session and, with Follow, what comes. It ends
// after an error, which is ErrNotRunning where nobody answers.
func (s Session) Events(ctx context.Context, query Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		values := url.Values{"skip": {strings.Join(query.Skip, ",")}}
		if query.Follow {
			values.Set("follow", "true")
		}
		response, err := s.call(ctx, http.MethodGet, "/events?"+values.Encode())
		if err != nil {
			yield(event.Event{}, err)
			return
		}
		defer response.Body.Close()
		decoder := json.NewDecoder(bufio.NewReader(response.Body))
		for {
			var e event.Event
			switch err := decoder.Decode(&e); {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(e, fmt.Errorf("read events: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// State returns what the session looks like now.
func (s Session) State(ctx context.Context) (*session.State, error) {
	state := &session.State{}
	for e, err := range s.Events(ctx, Query{Skip: []string{"log", "served", "step"}}) {
		if err != nil {
			return nil, err
		}
		state.Apply(e)
	}
	return state, nil
}

// Down asks the session to end and returns once it has been told.
func (s Session) Down(ctx context.Context) error {
	response, err := s.call(ctx, http.MethodPost, "/down")
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Retry starts the model's containers that wait in back-off, and returns once that has
// been told.
func (s Session) Retry(ctx context.Context, model string) error {
	response, err := s.call(ctx, http.MethodPost, "/retry?"+url.Values{"model": {model}}.Encode())
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Reload has the model make a new revision, and returns once that has been told.
func (s Session) Reload(ctx context.Context, model string, rebuild bool) error {
	values := url.Values{"model": {model}}
	if rebuild {
		values.Set("rebuild", "true")
	}
	response, err := s.call(ctx, http.MethodPost, "/reload?"+values.Encode())
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Pins tells the session that the repo's pins have changed.
func (s Session) Pins(ctx context.Context) error {
	response, err := s.call(ctx, http.MethodPost, "/pins")
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// longestRefusal bounds what is read of why the session refuses.
const longestRefusal = 4 << 10

func (s Session) call(ctx context.Context, method, path string) (*http.Response, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", s.socket())
		},
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://session"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	var network *net.OpError
	switch {
	case ctx.Err() == nil && (errors.As(err, &network) || errors.Is(err, io.EOF)):
		return nil, ErrNotRunning // or it has just ended
	case err != nil:
		return nil, err
	case response.StatusCode >= http.StatusBadRequest:
		defer response.Body.Close()
		why, _ := io.ReadAll(io.LimitReader(response.Body, longestRefusal))
		return nil, fmt.Errorf("the session refuses %s %s (%s): %s", method, path, response.Status, strings.TrimSpace(string(why)))
	}
	return response, nil
}
