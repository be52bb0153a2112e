package emulator

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Edits are files of a model that are not as they were, once their writers are quiet.
type Edits struct {
	Files []Edit
	// First is true for the state that the watching starts from: no revision of this
	// session is behind it. Its files are those that changed since the last run, as far as
	// that is known.
	First bool
	// Sources identifies the content of all that is watched, after the edits.
	Sources string
}

// Watcher watches what a model is made of.
type Watcher interface {
	// Watch reports edits until ctx ends, from one goroutine. The first report comes as
	// soon as the files are known.
	Watch(ctx context.Context, m *Model, report func(Edits)) error
}

// watchFiles watches the model's files until the returned function is called.
func (s *supervisor) watchFiles(ctx context.Context) (stop func()) {
	if s.Watcher == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	first := s.serving
	go func() {
		defer close(done)
		err := s.Watcher.Watch(ctx, first.model, func(e Edits) {
			select {
			case s.edits <- e:
			case <-ctx.Done():
			}
		})
		if err != nil && ctx.Err() == nil {
			select {
			case s.edits <- Edits{First: true}:
			case <-ctx.Done():
			}
			first.publish(event.Notice{Level: event.NoticeWarning, Text: s.id + ": edits are not seen: " + err.Error() + "; merlin-local reload makes a new revision by hand"})
		}
	}()
	return func() { cancel(); <-done }
}

// edited are the files that a revision is behind, by path.
type edited map[string]Edit

func (e edited) add(files []Edit) {
	for _, f := range files {
		e[f.Path] = f
	}
}

// judged is the strongest tier of some edits, and the file that decides it.
type judged struct {
	tier      event.Tier
	file, why string
	matter    []Edit // those of any tier but none
}

// judge finds out how edits come to the container of a revision.
func (r *revision) judge(files []Edit) judged {
	out := judged{tier: event.TierNone}
	for _, f := range files {
		tier, why := r.model.Tier(f, r.copies)
		if tier != event.TierNone {
			out.matter = append(out.matter, f)
		}
		if out.file == "" || tierRank[tier] > tierRank[out.tier] {
			out.tier, out.file, out.why = tier, r.model.shown(f.Path), why
		}
	}
	return out
}

// sorted are the edits in the order of their paths.
func (e edited) sorted() []Edit {
	var files []Edit
	for _, path := range slices.Sorted(maps.Keys(e)) {
		files = append(files, e[path])
	}
	return files
}

// shown is a path as a person in the model repo knows it.
func (m *Model) shown(path string) string {
	if inside, ok := relative(m.Dir, path); ok {
		return inside
	}
	return filepath.ToSlash(path)
}

// mostShown is how many files an event names.
const mostShown = 10

// fact tells the edits that are behind.
func (e edited) fact(m *Model, j judged) event.Edited {
	f := event.Edited{Tier: j.tier, File: j.file, Why: j.why}
	f.Files, f.More = e.named(m)
	return f
}

// named are the first few as people know them, and how many there are besides.
func (e edited) named(m *Model) (files []string, more int) {
	for _, edit := range e.sorted() {
		if len(files) == mostShown {
			return files, len(e) - mostShown
		}
		files = append(files, m.shown(edit.Path))
	}
	return files, 0
}

// changed are the files that are copied over an image's own.
type changed map[string][]Landing

// with returns them and further ones: where an edit goes by the rules in force.
func (c changed) with(r *revision, edits []Edit) changed {
	all := maps.Clone(c)
	if all == nil {
		all = changed{}
	}
	for _, e := range edits {
		if to := r.landings(e.Path); len(to) > 0 {
			all[e.Path] = to
		}
	}
	return all
}

// landings are where a file goes in a container, by the user's rules or else by the
// Dockerfile's.
func (r *revision) landings(path string) []Landing {
	if len(r.model.Watch.Sync) > 0 {
		inside, ok := relative(r.model.Dir, path)
		if !ok {
			return nil
		}
		return destinations(inside, r.model.Watch.Sync)
	}
	if r.model.Build == nil {
		return nil
	}
	inside, ok := relative(r.model.Build.Context, path)
	if !ok {
		return nil
	}
	return destinations(inside, r.copies)
}

func (c changed) files() []File {
	var all []File
	for _, path := range slices.Sorted(maps.Keys(c)) {
		for _, to := range c[path] {
			all = append(all, File{Source: path, Landing: to})
		}
	}
	return all
}
