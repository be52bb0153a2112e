//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sayingModel has a project of this run's own: a tag is the Engine's, and the test may run twice.
const sayingModel = `project: compared-%d
model: iris
build: { context: . }
resource_request: { memory_request: 64Mi }
compare: { ignore: [host] }
`

const sayingDockerfile = `FROM scratch
COPY fakemodel /fakemodel
COPY handler.json /handler.json
ENTRYPOINT ["/fakemodel", "-says", "/handler.json"]
`

// The old image against the new: what changed is told exactly, with a session and without one.
func TestAnImageIsComparedWithAnotherSideBySide(t *testing.T) {
	l := newLab(t, "", map[string]string{
		"merlin-local.yaml": fmt.Sprintf(sayingModel, os.Getpid()), "Dockerfile": sayingDockerfile, "handler.json": `{"score": 0.5, "label": "a"}`,
	})
	model, err := fakemodel()
	check(t, err)
	program, err := os.ReadFile(model)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(l.repo, "fakemodel"), program, 0o755))
	dir := t.TempDir()
	growing, recording := filepath.Join(dir, "growing.jsonl"), filepath.Join(dir, "run.jsonl")
	l.up("--no-watch", "--record", growing)
	for range 12 {
		l.must("predict", "-d", `{"n": 1}`)
	}
	await(t, "all are recorded", func() bool {
		text, err := os.ReadFile(growing)
		check(t, err)
		check(t, os.WriteFile(recording, text[:strings.LastIndexByte(string(text), '\n')+1], 0o644))
		return strings.Count(string(text), `"kind":"exchange"`) == 12 && text[len(text)-1] == '\n'
	})
	check(t, os.WriteFile(filepath.Join(l.repo, "handler.json"), []byte(`{"score": 0.25, "label": "a"}`), 0o644))
	l.must("reload", "--rebuild")

	differs := func(args ...string) *comparison {
		t.Helper()
		c := l.command(append([]string{"compare", recording, "-o", "json"}, args...)...)
		out, err := c.Output()
		if c.ProcessState.ExitCode() != 1 {
			t.Fatalf("exit code %d: %v", c.ProcessState.ExitCode(), err)
		}
		var told comparison
		check(t, json.Unmarshal(out, &told))
		if told.Requests != 12 || told.Differ != 12 || len(told.Groups) != 1 || told.Groups[0].Path != "says.score" || told.Groups[0].Examples[0].Was != "0.5" || told.Groups[0].Examples[0].Is != "0.25" {
			t.Errorf("%s", out)
		}
		return &told
	}
	if told := differs("--against", "r1"); told.Latency == nil || told.Latency.Was != 11 {
		t.Errorf("latency is %+v", told.Latency)
	}
	l.must("compare", recording, "--against", "r2")
	told, code := l.run("compare", recording, "--against", "r7")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	contains(t, told, "its image is not there, as older ones are removed: there is r1, r2")
	l.must("down")

	// Without a session this repo's own is built and run, and takes no revision's name.
	before := l.tagged()
	differs("--against", fmt.Sprintf("merlin-local/compared-%d/iris-1:r1", os.Getpid()))
	if after := l.tagged(); after != before {
		t.Errorf("images were\n%s\nand are\n%s", before, after)
	}
	l.nothingLeft()
}

// tagged is what was built for the model, each name with its image's id.
func (l *lab) tagged() string {
	l.t.Helper()
	var images []struct {
		ID       string
		RepoTags []string
	}
	check(l.t, l.call(http.MethodGet, "/images/json", &images))
	var all []string
	for _, i := range images {
		for _, tag := range i.RepoTags {
			if strings.HasPrefix(tag, fmt.Sprintf("merlin-local/compared-%d/", os.Getpid())) {
				all = append(all, tag+" "+i.ID)
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
