package docker_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"

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
	a := &attic{t: t, engine: e, memory: t.TempDir()}
	a.lab = a.session()
	return a
}

// session is one of a user's on the attic's Engine.
func (a *attic) session() *lab {
	return newLab(a.t, at(a.engine.host()), reach(docker.ReachAddress), func(o *docker.Options) { o.Builds = a.memory })
}

// twoStages is a model whose image takes what an earlier stage made.
func twoStages(t *testing.T) *emulator.Model {
	return buildable(t, "FROM scratch AS make", "COPY model /model", "COPY weights notes /made/", `RUN ["/model", "print"]`, "FROM scratch", "COPY model /model",
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
func (a *attic) cache() map[string]build.CacheRecord {
	a.t.Helper()
	usage, err := a.engine.api.DiskUsage(a.t.Context(), types.DiskUsageOptions{})
	check(a.t, err)
	records := map[string]build.CacheRecord{}
	for _, r := range usage.BuildCache {
		if r.Type == "regular" {
			records[r.ID] = *r
		}
	}
	return records
}

// forget removes a session's images.
func (a *attic) forget(l *lab) {
	a.t.Helper()
	images, err := a.engine.api.ImageList(a.t.Context(), image.ListOptions{Filters: l.own()})
	check(a.t, err)
	for _, i := range images {
		_, err := a.engine.api.ImageRemove(a.t.Context(), i.ID, image.RemoveOptions{PruneChildren: true, Force: true})
		check(a.t, err)
	}
}

func bytesOf(records map[string]build.CacheRecord) (size int64) {
	for _, r := range records {
		size += r.Size
	}
	return size
}

func TestADayOfSavesLeavesNoMoreInTheBuildCacheThanTwoRevisions(t *testing.T) {
	a := newAttic(t)
	m := twoStages(t)
	var second int64
	for revision := 1; revision <= 12; revision++ {
		save(t, m)
		revise(t, a.lab, m, revision)
		cached := a.cache()
		t.Logf("revision %d: %d records of %.1f MB", revision, len(cached), float64(bytesOf(cached))/1e6)
		if revision == 2 {
			second = bytesOf(cached)
		}
		if revision > 2 && bytesOf(cached) > second {
			t.Errorf("after revision %d the cache has %d bytes, after the second %d", revision, bytesOf(cached), second)
		}
	}
}

// A record that somebody else made, or has used since, is theirs.
func TestWhatOthersHaveInTheBuildCacheStays(t *testing.T) {
	a := newAttic(t)
	m, theirs := twoStages(t), twoStages(t)
	theirs.Deployment.Version = "9"
	save(t, theirs)
	stranger := a.session() // it never tidies up
	_, _, err := stranger.build(t, theirs)
	check(t, err)
	before := a.cache()

	save(t, m)
	revise(t, a.lab, m, 1)
	sharing := *m
	sharing.Deployment.Version = "10"
	alone := a.cache()
	_, reported, err := stranger.build(t, &sharing)
	check(t, err)
	if states := reported.states(t, "COPY weights"); !slices.Contains(states, event.StepCached) {
		t.Fatalf("the stranger's COPY went through %q", states)
	}
	both := a.cache()
	a.forget(stranger) // images keep their layers in the cache, whoever removes
	for revision := 2; revision <= 5; revision++ {
		save(t, m)
		revise(t, a.lab, m, revision)
	}
	after := a.cache()
	used := 0
	for id, r := range both {
		if was, is := alone[id]; is && was.LastUsedAt.Equal(*r.LastUsedAt) && before[id].ID == "" {
			continue // made by us, and nobody else has used it
		}
		used++
		if _, is := after[id]; !is {
			t.Errorf("record %s is gone, which the stranger used: %+v", id, r)
		}
	}
	if used <= len(before) {
		t.Errorf("the stranger used %d records, %d of them its own", used, len(before))
	}
}

// A step that builds find in the cache, and need nothing of as what comes of it is there
// too, is not used by them; the next one may need it.
func TestAStepThatOnlyItsOutcomeIsUsedOfStays(t *testing.T) {
	a := newAttic(t)
	m := buildable(t, "FROM scratch AS make", "COPY model /model", `RUN ["/model", "print"]`, "FROM scratch",
		"COPY --from=make /model /model", "COPY weights /weights", `ENTRYPOINT ["/model"]`)
	for revision := 1; revision <= 5; revision++ {
		save(t, m)
		revise(t, a.lab, m, revision)
	}
	dockerfile, err := os.ReadFile(m.Build.Dockerfile)
	check(t, err)
	changed := strings.Replace(string(dockerfile), "COPY --from=make /model /model", "COPY --from=make /model /elsewhere\nCOPY model /model", 1)
	write(t, m.Build.Dockerfile, changed)
	_, reported, err := a.build(t, m)
	check(t, err)
	if states := reported.states(t, "RUN"); !slices.Contains(states, event.StepCached) {
		t.Errorf("RUN went through %q", states)
	}
}

// A session that begins again knows what its builds left the last time.
func TestTheBuildCacheOfEarlierRunsIsRememberedOverTheirEnd(t *testing.T) {
	a := newAttic(t)
	m := twoStages(t)
	var second int64
	for range 3 {
		runtime, err := docker.Connect(t.Context(), docker.Options{
			Session: a.lab.session, Builds: a.memory, Reach: docker.ReachAddress, Getenv: a.options.Getenv,
		})
		check(t, err)
		for revision := 1; revision <= 2; revision++ {
			save(t, m)
			_, err := runtime.Image(t.Context(), emulator.ImageSpec{Model: m, Revision: revision}, func(event.Fact) {})
			check(t, err)
			runtime.Tidy(t.Context(), func(f event.Fact) { t.Errorf("it tells %+v", f) })
		}
		check(t, runtime.Close())
		size := bytesOf(a.cache())
		t.Logf("after a run the cache has %.1f MB", float64(size)/1e6)
		if second == 0 {
			second = size
		}
		if size > second {
			t.Errorf("the cache has %d bytes, after the first run %d", size, second)
		}
	}
}

// Builds of others at the same moment lose nothing, whatever of ours is left for them.
func TestBuildsOfOthersAtTheSameMomentKeepTheirCache(t *testing.T) {
	a := newAttic(t)
	stranger, theirs := a.session(), twoStages(t)
	theirs.Deployment.Version = "9"
	m := twoStages(t)
	done := make(chan error, 1)
	go func() {
		for range 6 {
			content := make([]byte, weights)
			_, _ = rand.Read(content)
			err := errors.Join(os.WriteFile(filepath.Join(theirs.Build.Context, "weights"), content, 0o644),
				os.WriteFile(filepath.Join(theirs.Build.Context, "notes"), []byte("x"), 0o644))
			if err == nil {
				_, err = stranger.Image(t.Context(), emulator.ImageSpec{Model: theirs, Revision: 1}, func(event.Fact) {})
			}
			if err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for revision := 1; revision <= 6; revision++ {
		save(t, m)
		revise(t, a.lab, m, revision)
	}
	check(t, <-done)
	save(t, m) // else the last two revisions have one first stage
	revise(t, a.lab, m, 7)
	kept := 0
	for _, r := range a.cache() {
		if strings.Contains(r.Description, "fileop") && r.Size == weights+1 { // weights and notes: not the last stage's
			kept++
		}
	}
	if kept < 6+2 {
		t.Errorf("%d first stages are left, of the stranger's six and our last two", kept)
	}
	t.Logf("%d first stages are left: the stranger's six, our last two, and those of ours that are not told apart", kept)
}
