package docker

import (
	"maps"
	"slices"
	"time"
)

// ledger knows which records of the build cache the builds of a session made. BuildKit
// does not say whose a record is, so that it is reckoned: a record is ours that was
// created while a step of ours went on, one that was not cached, where there are as many
// of that kind as such steps, for each of them leaves one at least. With a record too
// many, of a build of somebody else at the same moment, none of them is ours, nor where
// somebody else has used one of them since.
type ledger struct {
	// Builds are those of which something may be there, oldest first.
	Builds []*pastBuild
	// Ours are the records that they made, by id.
	Ours map[string]ourRecord
}

// ourRecord is a record that a build of ours made.
type ourRecord struct {
	Used time.Time // last, by a build of ours
	// Lines are those of the steps that may have made it, which went on since Made.
	Lines []string
	Made  time.Time
}

// pastBuild is a build that has ended. Times are by the Engine's clock.
type pastBuild struct {
	Model       string
	Image       string // its id; empty for one that failed
	Began, Done time.Time
	Steps       []pastStep
	// Attributed: what its steps left is known as far as it ever will be.
	Attributed bool
}

// pastStep is a line of a Dockerfile that was carried out, or found in the cache.
type pastStep struct {
	Vertex     string // its digest
	Line       string // with its stage's name in front
	Kind       stepKind
	Cached     bool
	From, Till time.Time
}

// released is how long after its last step a build lets go of the records it used; that
// is when they were used last. Measured here: 15 ms, on a busy machine.
const released = 2 * time.Second

// covers tells whether a record that was used last at this moment can have been used by
// the build.
func (b *pastBuild) covers(used time.Time) bool {
	return !used.Before(b.Began) && !used.After(b.Done.Add(released))
}

// attribute finds out which records the builds made that have not been looked at. Those
// that went on while a build did that is not over yet, since running, wait for it.
func (l *ledger) attribute(records []cacheRecord, running time.Time) {
	var fresh, ready []*pastBuild
	for _, b := range l.Builds {
		if !b.Attributed {
			fresh = append(fresh, b)
			if running.IsZero() || b.Done.Before(running) {
				ready = append(ready, b)
			}
		}
	}
	l.disown(records, fresh)
	for _, kind := range []stepKind{stepFiles, stepRun} {
		for _, bout := range bouts(ready, kind) {
			made := bout.made(records)
			if len(made) != len(bout.steps) || slices.ContainsFunc(made, func(r cacheRecord) bool { return !cover(fresh, r.used) }) {
				continue
			}
			for _, r := range made {
				l.ours(r, bout)
			}
		}
	}
	for _, b := range ready {
		b.Attributed = true
	}
}

// cover tells whether one of the builds can have been the last to use a record.
func cover(builds []*pastBuild, used time.Time) bool {
	return slices.ContainsFunc(builds, func(b *pastBuild) bool { return b.covers(used) })
}

func (l *ledger) ours(r cacheRecord, from *bout) {
	if l.Ours == nil {
		l.Ours = map[string]ourRecord{}
	}
	l.Ours[r.id] = ourRecord{Used: r.used, Lines: from.lines, Made: from.from}
}

// disown gives up the records that no build of ours has used since the last look, but
// somebody else's has.
func (l *ledger) disown(records []cacheRecord, fresh []*pastBuild) {
	for _, r := range records {
		known, ours := l.Ours[r.id]
		switch {
		case !ours || r.used.Equal(known.Used):
		case cover(fresh, r.used):
			known.Used = r.used
			l.Ours[r.id] = known
		default:
			delete(l.Ours, r.id)
		}
	}
}

// bout is a span of time in which steps of one kind went on without a gap.
type bout struct {
	kind       stepKind
	from, till time.Time
	steps      map[string]bool // by digest: builds that go on together share steps
	lines      []string
}

func bouts(builds []*pastBuild, kind stepKind) []*bout {
	var steps []pastStep
	for _, b := range builds {
		for _, s := range b.Steps {
			if s.Kind == kind && !s.Cached {
				steps = append(steps, s)
			}
		}
	}
	slices.SortFunc(steps, func(a, b pastStep) int { return a.From.Compare(b.From) })
	var all []*bout
	for _, s := range steps {
		if len(all) == 0 || s.From.After(all[len(all)-1].till) {
			all = append(all, &bout{kind: kind, from: s.From, till: s.Till, steps: map[string]bool{}})
		}
		last := all[len(all)-1]
		last.steps[s.Vertex] = true
		last.lines = append(last.lines, s.Line)
		if s.Till.After(last.till) {
			last.till = s.Till
		}
	}
	return all
}

// made are the records that were created meanwhile.
func (b *bout) made(records []cacheRecord) (made []cacheRecord) {
	for _, r := range records {
		if r.kind == b.kind && !r.created.Before(b.from) && !r.created.After(b.till) {
			made = append(made, r)
		}
	}
	return made
}

// keptBuilds is of how many of a model's last builds the cache stays.
const keptBuilds = 2

// kept are the builds of which the cache stays: a model's last ones, and those whose
// images are still there.
func (l *ledger) kept(images map[string]bool) map[*pastBuild]bool {
	kept, last := map[*pastBuild]bool{}, map[string]int{}
	for _, b := range slices.Backward(l.Builds) {
		if last[b.Model]++; last[b.Model] <= keptBuilds || images[b.Image] {
			kept[b] = true
		}
	}
	return kept
}

// superseded are our records that nothing but builds that are over used last. Whatever
// somebody else's build has used since then is left.
func (l *ledger) superseded(records []cacheRecord, images map[string]bool) (ids []string) {
	kept := l.kept(images)
	for _, r := range records {
		if _, ours := l.Ours[r.id]; ours && l.expendable(r, kept) {
			ids = append(ids, r.id)
		}
	}
	return ids
}

func (l *ledger) expendable(r cacheRecord, kept map[*pastBuild]bool) bool {
	known := false
	for _, b := range l.Builds {
		if b.covers(r.used) {
			known = true
			if kept[b] || !b.Attributed {
				return false
			}
		}
	}
	return known && !l.hit(l.Ours[r.id], kept)
}

// hit tells whether a build that is kept may have found a record in the cache without
// using it, as it does where it finds what comes of it, too.
func (l *ledger) hit(r ourRecord, kept map[*pastBuild]bool) bool {
	for b := range kept {
		for _, s := range b.Steps {
			if s.Cached && slices.Contains(r.Lines, s.Line) && r.Made.Equal(l.newest(s.Line, b.Began)) {
				return true
			}
		}
	}
	return false
}

// newest is when a line was last carried out before a moment, as far as that is known.
func (l *ledger) newest(line string, before time.Time) (made time.Time) {
	for _, r := range l.Ours {
		if r.Made.Before(before) && r.Made.After(made) && slices.Contains(r.Lines, line) {
			made = r.Made
		}
	}
	return made
}

// forget drops what is there no more: records, and builds that nothing depends on.
func (l *ledger) forget(records []cacheRecord, images map[string]bool) {
	there := map[string]bool{}
	for _, r := range records {
		there[r.id] = true
	}
	maps.DeleteFunc(l.Ours, func(id string, _ ourRecord) bool {
		return !there[id]
	})
	kept := l.kept(images)
	l.Builds = slices.DeleteFunc(l.Builds, func(b *pastBuild) bool {
		if kept[b] || !b.Attributed {
			return false
		}
		for _, r := range l.Ours {
			if b.covers(r.Used) {
				return false
			}
		}
		return true
	})
}
