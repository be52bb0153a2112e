//go:build unix

package main

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/caraml-dev/merlin-local/emulator/control"
)

// TestDockerScript runs what users type, in testdata/dockerscript, with the real Engine
// and the real samples. $SAMPLES is where those are, $PYTHON the base image of the Python
// one.
func TestDockerScript(t *testing.T) {
	engine, err := findEngine()
	if err != nil {
		t.Skipf("SKIPPED, SO NOT PROVEN: no Docker Engine answers: %v", err)
	}
	skipWithoutPythonBase(t, &lab{engineAPI: engine})
	model, err := fakemodel()
	check(t, err)
	samples, err := filepath.Abs("../../sample-models")
	check(t, err)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/dockerscript",
		Setup: func(e *testscript.Env) error {
			if err := setUp(t, e, filepath.Dir(model)); err != nil {
				return err
			}
			home := control.Home(e.Getenv("MERLIN_LOCAL_HOME"))
			e.Defer(func() { check(t, forgetAll(engine, home, e.WorkDir)) })
			e.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
			e.Setenv("SAMPLES", samples)
			e.Setenv("PYTHON", pythonBase)
			return nil
		},
		Cmds: withForget(engine),
	})
}

// withForget has, besides the other commands, forget IMAGE: it is not there any more.
func withForget(engine *engineAPI) map[string]func(*testscript.TestScript, bool, []string) {
	all := maps.Clone(scriptCommands)
	all["forget"] = func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Check(engine.call(http.MethodDelete, "/images/"+args[0]+"?force=true", nil))
	}
	return all
}

// forgetAll ends what a script left running, and removes what its sessions made.
func forgetAll(engine *engineAPI, home control.Home, work string) error {
	err := endAll(home)
	folders, globErr := filepath.Glob(filepath.Join(work, "*"))
	for _, dir := range folders {
		err = errors.Join(err, engine.forget(home.Session(dir).ID))
	}
	return errors.Join(err, globErr, engine.forget(home.Session(work).ID))
}
