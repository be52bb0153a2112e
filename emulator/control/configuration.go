package control

import (
	"context"
	"net/http"
	"net/url"
)

// Configuration is what one model of a session runs with: its file with all flags in it,
// whichever of the session's files and flags say so.
type Configuration struct {
	// Text is a merlin-local.yaml of the one model, without the value of any secret and
	// without what only its repo has, such as its build.
	Text string `json:"text"`
	// ModelDir is the artifact's folder on this machine; empty where there is none.
	ModelDir string `json:"model_dir,omitempty"`
}

func (s *Server) configuration(w http.ResponseWriter, r *http.Request) {
	c, err := s.Configuration(r.FormValue("model"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	answerJSON(w, c)
}

// Configuration returns what the model runs with now.
func (s Session) Configuration(ctx context.Context, model string) (Configuration, error) {
	var c Configuration
	err := s.ask(ctx, "/configuration?"+url.Values{"model": {model}}.Encode(), &c)
	return c, err
}
