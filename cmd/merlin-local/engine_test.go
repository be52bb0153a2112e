package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/docker"
)

func TestAModelThatDockerHasNothingToRunOfIsServedByItsExec(t *testing.T) {
	probe, err := docker.Connect(t.Context(), docker.Options{})
	var none *docker.NoEngineError
	if errors.As(err, &none) {
		t.Skip("SKIPPED: no Docker Engine answers: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	models := []*emulator.Model{{Exec: "exec ./server"}}
	options := engineOptions{runtime: "auto", reach: "auto"}
	e, err := options.choose(t.Context(), control.Session{}, models)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	if e.name != "process" || !strings.HasPrefix(e.warning, "NO DOCKERFILE AND NO IMAGE") {
		t.Errorf("chose %s, %q", e.name, e.warning)
	}
	options.runtime = "docker"
	if _, err := options.choose(t.Context(), control.Session{}, models); err == nil || !strings.Contains(err.Error(), "has no Dockerfile and no image") {
		t.Errorf("asked for by name: %v", err)
	}
}
