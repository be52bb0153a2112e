//go:build unix

package main

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// saves is a repo whose files each hold the number of the save that wrote them last, and
// whose models tell the newest one. Each kind of file comes to a container by a tier of
// its own.
type saves struct {
	*lab
	config string // with the save in the place of %[1]d
	last   int64
}

// saving is a save that is on its way to serve.
type saving struct {
	number int64
	tier   event.Tier
	file   string // relative to the repo
}

// savedModel is what the models of such repos have in common, as a part of YAML.
const savedModel = `model_dir: artifact, watch: { sync: [{ from: source.txt, to: /app/ }], rebuild: [savemodel] }, env_vars: { SAVE: "%[1]d" }`

func newSaves(t *testing.T, config string) *saves {
	t.Helper()
	files := map[string]string{
		"merlin-local.yaml": fmt.Sprintf(config, 1), "source.txt": "1\n", "artifact/save.txt": "1\n",
		"Dockerfile":    "FROM scratch\nCOPY savemodel source.txt /app/\nENTRYPOINT [\"/app/savemodel\"]\n",
		".dockerignore": "*\n!savemodel\n!source.txt\n",
	}
	s := &saves{lab: newLab(t, "", files), config: config, last: 1}
	s.put("savemodel", program(t, 1))
	return s
}

// savemodel is the program of testdata/savemodel, static, built once; a line with the
// save comes after it.
var savemodel = sync.OnceValues(func() ([]byte, error) {
	path, err := build("savemodel", "./testdata/savemodel")
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// program is the model's program of a save.
func program(t testing.TB, save int64) string {
	t.Helper()
	binary, err := savemodel()
	check(t, err)
	return fmt.Sprintf("%s\n%d", binary, save)
}

// next plans a save that comes to the containers by that tier: for a restart, the artifact
// and the environment in turn.
func (s *saves) next(tier event.Tier) *saving {
	s.last++
	file := map[event.Tier]string{event.TierSync: "source.txt", event.TierRestart: "artifact/save.txt", event.TierRebuild: "savemodel"}[tier]
	if tier == event.TierRestart && s.last%2 == 0 {
		file = "merlin-local.yaml"
	}
	return &saving{s.last, tier, file}
}

// save writes it.
func (s *saves) save(now *saving) {
	s.t.Helper()
	switch now.file {
	case "savemodel":
		s.put(now.file, program(s.t, now.number))
	case "merlin-local.yaml":
		s.put(now.file, fmt.Sprintf(s.config, now.number))
	default:
		s.put(now.file, fmt.Sprintln(now.number))
	}
}
