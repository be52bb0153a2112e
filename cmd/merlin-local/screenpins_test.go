//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A request is pinned with a key, a save mends the handler, and the verdict is there.
func TestScreenPinsARequestAndShowsTheVerdictOfEachSave(t *testing.T) {
	model, err := fakemodel()
	check(t, err)
	l := newLab(t, "", map[string]string{
		"merlin-local.yaml": "model: iris\nexec: exec " + model + " -says handler.json\n",
		"handler.json":      "no JSON\n",
		"request.json":      `{"instances": [[1, 2]]}`,
	})
	term := newTmux(l, 140, 40)
	term.shell("merlin-local up --runtime process --port 0")
	term.await("iris-1 READY")
	term.keys("2", "P")
	term.await("/v1/models/iris-1:predict", "500")
	term.keys("p")
	term.await("is pinned as iris-1-predict", "pins 1 failed")
	term.keys("6")
	term.await("pins on revision 1: 1 failed", "iris-1-predict FAILED: it answers 500 Internal Server Error")
	check(t, os.WriteFile(filepath.Join(l.repo, "handler.json"), []byte(`{"score": 0.5}`), 0o644))
	shows := term.await("pins on revision 2: 1 passes", "pins 1 passes")
	if strings.Contains(shows, "revision 3") {
		t.Errorf("pinning made a revision:\n%s", shows)
	}
	l.must("pin", "accept", "iris-1-predict")
	check(t, os.WriteFile(filepath.Join(l.repo, "handler.json"), []byte(`{"score": 0.25}`), 0o644))
	term.await("pins on revision 3: 1 changed", "iris-1-predict changed: says.score: 0.25, was 0.5")
	term.keys("q", "y")
	term.prompt()
	l.nothingLeft()
}
