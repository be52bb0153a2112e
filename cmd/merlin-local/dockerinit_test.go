//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// freshLab is a lab in a folder with nothing in it.
func freshLab(t *testing.T, name string) *lab {
	t.Helper()
	repo := filepath.Join(t.TempDir(), name)
	check(t, os.Mkdir(repo, 0o755))
	return newLab(t, repo, nil)
}

func TestANewRepoOfTheDefaultTemplateRunsAtOnce(t *testing.T) {
	l := freshLab(t, "fresh-iris")
	contains(t, l.must("init", "."), "made the model fresh-iris", "merlin-local up")
	contains(t, l.up(), "go build", "fresh-iris-1  built in", "fresh-iris-1  ready in", "/v1/models/fresh-iris-1:predict")
	checkIris(t, l)
	l.must("down")
	l.nothingLeft()
}

func TestANewUPIRepoRunsAtOnce(t *testing.T) {
	l := freshLab(t, "fresh-eta")
	l.must("init", "--template", "upi-go", ".")
	contains(t, l.up(), "fresh-eta-1  ready in")
	contains(t, l.must("predict"), `"eta_minutes"`, `"rush-hour-rain"`)
	l.must("down")
	l.nothingLeft()
}

func TestANewPythonRepoRunsAtOnce(t *testing.T) {
	l := freshLab(t, "fresh-churn")
	skipWithoutPythonBase(t, l)
	l.must("init", "--template", "http-python", ".")
	l.up("--build-arg", "BASE_IMAGE="+pythonBase)
	contains(t, l.must("predict"), `"churn":`, `"probability":`)
	l.must("down")
	l.nothingLeft()
}
