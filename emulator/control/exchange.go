package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Found is what a search in captured bodies found.
type Found struct {
	IDs []uint64 `json:"ids"` // the newest first
	// All tells whether everything that is kept was searched; a search takes only so long.
	All bool `json:"all"`
}

const capturesNothing = "this session captures no exchanges (`capture: off` in merlin-local.yaml, or --no-capture)"

func (s *Server) exchange(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.FormValue("id"), 10, 64)
	switch {
	case err != nil:
		http.Error(w, fmt.Sprintf("id %q: it is the number that a request has in its served event", r.FormValue("id")), http.StatusBadRequest)
		return
	case s.Exchange == nil:
		http.Error(w, capturesNothing, http.StatusNotFound)
		return
	}
	e, err := s.Exchange(id)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	answerJSON(w, e)
}

func (s *Server) exchanges(w http.ResponseWriter, r *http.Request) {
	text := r.FormValue("search")
	switch {
	case !r.Form.Has("search") && s.Kept != nil:
		answerJSON(w, Found{s.Kept(), true})
	case !r.Form.Has("search"):
		http.Error(w, capturesNothing, http.StatusNotFound)
	case text == "":
		http.Error(w, "search is empty: give the text that a body holds", http.StatusBadRequest)
	case s.Search == nil:
		http.Error(w, capturesNothing, http.StatusNotFound)
	default:
		ids, all := s.Search(r.Context(), text)
		answerJSON(w, Found{ids, all})
	}
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who asked may have left
}

// Exchange returns what was captured of a request, by the ID that its event.Served has.
// Where it is not kept the error says why.
func (s Session) Exchange(ctx context.Context, id uint64) (event.Exchange, error) {
	var e event.Exchange
	err := s.ask(ctx, "/exchange?id="+strconv.FormatUint(id, 10), &e)
	return e, err
}

// Search returns the captured exchanges whose bodies hold the text.
func (s Session) Search(ctx context.Context, text string) (Found, error) {
	var found Found
	err := s.ask(ctx, "/exchanges?"+url.Values{"search": {text}}.Encode(), &found)
	return found, err
}

// Kept returns the captured exchanges that are kept now, the newest first. It is an error
// where the session captures none.
func (s Session) Kept(ctx context.Context) ([]uint64, error) {
	var found Found
	err := s.ask(ctx, "/exchanges", &found)
	return found.IDs, err
}

// Writes tells the session that another program writes this file from now on: in the
// models' folders it is no edit.
func (s Session) Writes(ctx context.Context, path string) error {
	response, err := s.call(ctx, http.MethodPost, "/writes?"+url.Values{"path": {path}}.Encode())
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func (s *Server) writes(w http.ResponseWriter, r *http.Request) {
	if err := s.Writes(r.FormValue("path")); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// ask reads an answer of one JSON value.
func (s Session) ask(ctx context.Context, path string, v any) error {
	response, err := s.call(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
