package docker_test

import (
	"crypto/rand"

	"os"
	"path/filepath"

	"testing"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/build"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// weights is the size of what each build of these tests has anew.
const weights = 3 << 20

// attic is an Engine of a test's own, whose build cache nobody else writes.
type attic struct {
	*lab
	t      *testing.T
	engine *privateEngine
	memory string
}

func newAttic(t *testing.T) *attic {
	t.Helper()
	e := newPrivateEngine(t)
	s := &attic{t: t, engine: e, memory: t.TempDir()}
	s.lab = s.session()
	return s
}

// session is one of a user's on the attic's Engine.
func (s *attic) session() *lab {
	return newLab(s.t, at(s.engine.host()), reach(docker.ReachAddress), func(o *docker.Options) { o.Builds = s.memory })
}

// twoStages is a model whose image takes what an earlier stage made.
func twoStages(t *testing.T) *emulator.Model {
	return buildable(t, "FROM scratch AS make", "COPY model /model", "COPY weights notes /made/", "FROM scratch", "COPY model /model",
		"COPY --from=make /made/weights /weights", `ENTRYPOINT ["/model"]`)
}

// save gives the model other weights.
func save(t *testing.T, m *emulator.Model) {
	t.Helper()
	content := make([]byte, weights)
	_, _ = rand.Read(content)
	check(t, os.WriteFile(filepath.Join(m.Build.Context, "weights"), content, 0o644))
	check(t, os.WriteFile(filepath.Join(m.Build.Context, "notes"), []byte("x"), 0o644))
}

// revise builds a revision, and tidies up as it is done once that one serves.
func revise(t *testing.T, l *lab, m *emulator.Model, revision int) {
	t.Helper()
	_, err := l.Image(t.Context(), emulator.ImageSpec{Model: m, Revision: revision}, func(event.Fact) {})
	check(t, err)
	l.Tidy(t.Context(), func(f event.Fact) { t.Errorf("it tells %+v", f) })
}

// cache are the records of what steps left, by id.
func (s *attic) cache() map[string]build.CacheRecord {
	s.t.Helper()
	usage, err := s.engine.api.DiskUsage(s.t.Context(), types.DiskUsageOptions{})
	check(s.t, err)
	records := map[string]build.CacheRecord{}
	for _, r := range usage.BuildCache {
		if r.Type == "regular" {
			records[r.ID] = *r
		}
	}
	return records
}

func bytesOf(records map[string]build.CacheRecord) (size int64) {
	for _, r := range records {
		size += r.Size
	}
	return size
}

func TestADayOfSavesLeavesNoMoreInTheBuildCacheThanTwoRevisions(t *testing.T) {
	s := newAttic(t)
	m := twoStages(t)
	var second int64
	for revision := 1; revision <= 12; revision++ {
		save(t, m)
		revise(t, s.lab, m, revision)
		cached := s.cache()
		t.Logf("revision %d: %d records of %.1f MB", revision, len(cached), float64(bytesOf(cached))/1e6)
		if revision == 2 {
			second = bytesOf(cached)
		}
		if revision > 2 && bytesOf(cached) > second {
			t.Errorf("after revision %d the cache has %d bytes, after the second %d", revision, bytesOf(cached), second)
		}
	}
}
