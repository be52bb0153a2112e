package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed is the table "Who may import whom": a folder's imports inside this module.
// Change it in the commit that has the reason.
var allowed = map[string][]string{
	"emulator/artifact":       {},
	"emulator/attach":         {},
	"emulator/event":          {},
	"emulator/merlin":         {},
	"emulator/sockets":        {},
	"emulator/diagnose":       {"emulator/event"},
	"emulator/probe":          {},
	"emulator/check":          {"emulator/event", "emulator/merlin", "emulator/scrape"}, // what runs the model is given to it
	"emulator/scale":          {},
	"emulator/scrape":         {"emulator/event"},
	"emulator/watch":          {},
	"emulator/session":        {"emulator/event"},
	"emulator/prose":          {"emulator/diagnose", "emulator/event", "emulator/session"}, // the words of plain output and of the screen
	"emulator":                {"emulator/diagnose", "emulator/event", "emulator/merlin", "emulator/scale"},
	"emulator/config":         {"emulator", "emulator/merlin"},
	"emulator/docker":         {"emulator", "emulator/event", "emulator/merlin", "emulator/sockets"},
	"emulator/process":        {"emulator", "emulator/event", "emulator/merlin", "emulator/sockets"},
	"emulator/control":        {"emulator/event", "emulator/session"},
	"proxy":                   {"emulator/event"},
	"tui/pictures":            {},
	"tui/recordings":          {},
	"proxy/push":              {"emulator/event"},
	"tui":                     {"emulator/event", "emulator/prose", "emulator/session", "tui/filter"},
	"tui/filter":              {"emulator/event", "emulator/prose"},
	"proxy/capture":           {"emulator/event", "proxy/capture/jsonpath"}, // the port feeds it by an interface that it declares
	"proxy/capture/imports":   {"emulator/event", "proxy/capture", "proxy/capture/recording"},
	"proxy/capture/recording": {"emulator/event"},

	"proxy/capture/jsonpath": {},
	"proxy/capture/bundle":   {"emulator/event"},
	"proxy/capture/compare":  {"emulator/event", "proxy/capture/jsonpath"},
	"proxy/capture/pins":     {"emulator/event", "proxy/capture/compare"},
	"proxy/capture/replay":   {"emulator/event", "proxy/capture", "proxy/capture/compare"},
}

// root is where everything is wired together: it may import everything.
const root = "cmd/merlin-local"

// vendors are the libraries that one folder alone imports.
var vendors = map[string]string{
	"github.com/docker/docker":            "emulator/docker",
	"github.com/fsnotify/fsnotify":        "emulator/watch",
	"github.com/docker/cli":               "emulator/docker",
	"github.com/moby/buildkit":            "emulator/docker",
	"github.com/soheilhy/cmux":            "proxy",
	"github.com/prometheus/client_golang": "proxy",
	"github.com/prometheus/common":        "emulator/scrape",
	"github.com/goccy/go-yaml":            "emulator/config",
	"github.com/gofrs/flock":              "emulator/control",
	"mvdan.cc/sh":                         "proxy/capture/imports",
	"github.com/aclements/go-moremath":    "proxy/capture/compare",
	"github.com/spf13/cobra":              root,
	"github.com/owenrumney/go-sarif":      "emulator/check",
	"github.com/charmbracelet/bubbletea":  "tui",
	"github.com/charmbracelet/lipgloss":   "tui",
	"github.com/NimbleMarkets/ntcharts":   "tui",
}

const module = "github.com/caraml-dev/merlin-local"

// folder is one package of the module, and what its own files import.
type folder struct {
	ImportPath string
	Imports    []string
}

func (f folder) path() string { return strings.TrimPrefix(f.ImportPath, module+"/") }

func folders(t *testing.T) []folder {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []folder
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var f folder
		switch err := decoder.Decode(&f); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, f)
	}
}

func TestDepsPointDownTheTableOfTheArchitecture(t *testing.T) {
	found := folders(t)
	for _, f := range found {
		may, known := allowed[f.path()]
		switch {
		case f.path() == root:
			continue
		case !known:
			t.Errorf("%s is not in the table \"Who may import whom\" (allowed, in cmd/merlin-local/deps_test.go): add it there and in the architecture", f.path())
			continue
		}
		for _, i := range f.Imports {
			if inside, ok := strings.CutPrefix(i, module+"/"); ok && !slices.Contains(may, inside) {
				t.Errorf("%s imports %s; it may import %q of this module", f.path(), inside, may)
			}
		}
	}
	for path := range allowed {
		if !slices.ContainsFunc(found, func(f folder) bool { return f.path() == path }) {
			t.Errorf("the table names %s, which is not there", path)
		}
	}
}

func TestDepsOnAVendorStopAtOnePackage(t *testing.T) {
	for _, f := range folders(t) {
		for _, i := range f.Imports {
			for vendor, only := range vendors {
				if (i == vendor || strings.HasPrefix(i, vendor+"/")) && f.path() != only {
					t.Errorf("%s imports %s: only %s may", f.path(), i, only)
				}
			}
		}
	}
}

// The two sides of the house meet in cmd through interfaces that each declares itself.
func TestDepsOfEmulatorAndProxyNeverMeet(t *testing.T) {
	for _, side := range [][2]string{{"emulator", "proxy"}, {"proxy", "emulator"}} {
		out, err := exec.Command("go", "list", "-deps", module+"/"+side[0]+"/...").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range strings.Fields(string(out)) {
			inside, ours := strings.CutPrefix(path, module+"/")
			if ours && inside != "emulator/event" && (inside == side[1] || strings.HasPrefix(inside, side[1]+"/")) {
				t.Errorf("%s depends on %s", side[0], inside)
			}
		}
	}
}
