package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Server answers on a session's socket.
//
//	GET  /events?skip=log,served&follow=true   JSON lines: what is kept, then what comes
//	GET  /exchange?id=7                        one captured exchange; 404 says why there is none
//	GET  /exchanges?search=TEXT                the ids of those whose bodies hold it, of all without it
//	GET  /configuration?model=ID               what the model runs with now
//	POST /writes?path=FILE                     the file, which another program writes, is no edit
//	POST /down                                 ends the session as Ctrl-C does
//	POST /retry?model=ID                       starts what waits in back-off now
//	POST /fault?model=ID&set=latency%3D1s      breaks it on request; DELETE ends that
//	POST /reload?model=ID&rebuild=true         makes a new revision, of all models without an ID
//	POST /pins                                 replays the repo's pins, which have changed
type Server struct {
	// Events is the session's stream. Followers are answered until it is closed.
	Events *event.Stream
	// Exchange returns what was captured of the request that event.Served numbers so; an
	// error says why it is not kept. nil is a session that captures nothing.
	Exchange func(id uint64) (event.Exchange, error)
	// Search returns the exchanges whose bodies hold the text, the newest first, and
	// whether all that are kept were searched; nil as with Exchange.
	Search func(ctx context.Context, text string) (ids []uint64, all bool)
	// Configuration says what a model runs with now.
	Configuration func(model string) (Configuration, error)
	// Kept returns the exchanges that are kept, the newest first; nil as with Exchange.
	Kept func() []uint64
	// Writes takes a file that another program is about to write; an error says why it cannot.
	Writes func(path string) error
	// Down asks the session to end; it returns at once.
	Down func()
	// Retry starts the model's containers that wait to be started again.
	Retry func(model string) error
	// Reload makes a new revision of the model, with a new image where rebuild is true.
	Reload func(model string, rebuild bool) error
	// Fault sets or clears faults, and returns once they are as asked.
	Fault func(ctx context.Context, asked FaultRequest) error
	// Pins replays the repo's pins again, which have changed; nil where none are replayed.
	Pins func()
}

// Listen opens the session's socket. The caller holds the session's lock.
func (s Session) Listen() (net.Listener, error) {
	if err := os.RemoveAll(s.socket()); err != nil { // a killed session's
		return nil, err
	}
	listener, err := net.Listen("unix", s.socket())
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(s.socket(), 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// closeLimit is how long followers have to read the session's last events.
const closeLimit = 2 * time.Second

// Serve answers until ctx ends, then lets followers read to the end of the stream.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", understood(s.events))
	mux.HandleFunc("GET /exchange", understood(s.exchange))
	mux.HandleFunc("GET /exchanges", understood(s.exchanges))
	mux.HandleFunc("GET /configuration", understood(s.configuration))
	mux.HandleFunc("POST /writes", understood(s.writes))
	mux.HandleFunc("POST /down", s.down)
	mux.HandleFunc("POST /retry", understood(s.retry))
	mux.HandleFunc("POST /fault", understood(s.fault))
	mux.HandleFunc("DELETE /fault", understood(s.fault))
	mux.HandleFunc("POST /reload", understood(s.reload))
	mux.HandleFunc("POST /pins", s.pins)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	if server.Shutdown(limit) != nil {
		_ = server.Close()
	}
	<-done
	return nil
}

// understood refuses values that are garbled: without them it would be all models.
func understood(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		next(w, r)
	}
}

func (s *Server) down(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusAccepted)
	s.Down()
}

func (s *Server) pins(w http.ResponseWriter, _ *http.Request) {
	if s.Pins != nil {
		s.Pins()
	}
	w.WriteHeader(http.StatusAccepted)
}

func (s *Server) retry(w http.ResponseWriter, r *http.Request) {
	if err := s.Retry(r.FormValue("model")); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	rebuild := false
	if text := r.FormValue("rebuild"); text != "" {
		var err error
		if rebuild, err = strconv.ParseBool(text); err != nil {
			http.Error(w, fmt.Sprintf("rebuild=%s: it is true or false", text), http.StatusBadRequest)
			return
		}
	}
	if err := s.Reload(r.FormValue("model"), rebuild); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	skip := strings.Split(r.FormValue("skip"), ",")
	w.Header().Set("Content-Type", "application/jsonl")
	if r.FormValue("follow") != "true" {
		_ = writeLines(w, s.Events.History(), skip)
		return
	}
	sub := s.Events.Replay()
	defer sub.Cancel()
	for {
		events, err := sub.Next(r.Context())
		if err != nil {
			return
		}
		if writeLines(w, events, skip) != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
	}
}

func writeLines(w io.Writer, events []event.Event, skip []string) error {
	encoder := json.NewEncoder(w)
	for _, e := range events {
		if slices.Contains(skip, event.Kind(e.Fact)) {
			continue
		}
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	return nil
}
