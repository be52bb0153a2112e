package emulator

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Watch says which edits of a model repo make a new revision, and how.
type Watch struct {
	// Ignore holds patterns of a .dockerignore's form, besides that file's own.
	Ignore []string
	// Sync replaces what the Dockerfile's COPY lines tell; From is relative to
	// Model.Dir.
	Sync []Copy
	// Rebuild holds patterns of path.Match's form, or folders: files whose change
	// always builds the image anew.
	Rebuild []string
}

// Reload is how a new revision takes over from the old one.
type Reload string

// The ways. An empty one is ReloadAuto.
const (
	ReloadAuto    Reload = "auto"    // the old one serves until the new one is ready, where both fit in memory
	ReloadReplace Reload = "replace" // the old one stops first, and requests wait
)

// Copy is what a COPY line of a Dockerfile does with files of the build context.
type Copy struct {
	// From is a file, a folder or a pattern of path.Match's form, with slashes.
	From string
	// To is where it goes, absolute in the container: a folder where it ends in a
	// slash. Empty where only a build can tell what becomes of the file.
	To string
	// UID and GID own the file, and Mode is its mode; 0 is as in the context.
	UID, GID int
	Mode     int64
}

// Edit is one file that is not as it was.
type Edit struct {
	Path    string // absolute
	Removed bool   // or renamed: the file is not there any more
	Ignored bool   // the image build does not see it: its ignore file names it
}

// tierRank orders the tiers by what they do: a later one does all that an earlier one
// does.
var tierRank = map[event.Tier]int{"": 0, event.TierNone: 0, event.TierRestart: 1, event.TierSync: 2, event.TierRebuild: 3}

// stronger returns the tier that does more.
func stronger(a, b event.Tier) event.Tier {
	if tierRank[b] > tierRank[a] {
		return b
	}
	return a
}

// Tier chooses the cheapest way that is correct to bring an edit to the container, and
// says why. The copies are those that the image's Dockerfile tells.
func (m *Model) Tier(e Edit, copies []Copy) (tier event.Tier, why string) {
	inArtifact := m.ModelDir != "" && isWithin(m.ModelDir, e.Path)
	if own, ok := relative(m.Dir, e.Path); ok && m.Watch.rebuilds(own) {
		return event.TierRebuild, "watch.rebuild names it"
	}
	if !inArtifact || !e.Ignored {
		tier, why = m.imageTier(e, copies)
	}
	if inArtifact && tierRank[tier] < tierRank[event.TierRestart] {
		return event.TierRestart, "the artifact changed"
	}
	return tier, why
}

// imageTier leaves the artifact out of account.
func (m *Model) imageTier(e Edit, copies []Copy) (event.Tier, string) {
	own, inRepo := relative(m.Dir, e.Path)
	synced := inRepo && len(destinations(own, m.Watch.Sync)) > 0
	switch {
	case synced && !e.Removed:
		return event.TierSync, "watch.sync names it"
	case synced:
		return event.TierRebuild, "it is gone, and a copy cannot delete"
	case m.OnHost && inRepo:
		return event.TierRestart, "exec may read it"
	case m.Build == nil:
		return event.TierNone, "the image is not built here"
	case e.Path == m.Build.Dockerfile:
		return event.TierRebuild, "the Dockerfile changed"
	}
	inContext, ok := relative(m.Build.Context, e.Path)
	switch {
	case m.Build.Run != "" && inRepo:
		return event.TierRebuild, "build.run may read it"
	case e.Ignored:
		return event.TierNone, "the build's ignore file names it"
	case !ok:
		return event.TierNone, "it is not in the build context"
	case len(m.Watch.Sync) > 0:
		return event.TierRebuild, "watch.sync does not name it"
	case len(destinations(inContext, copies)) == 0:
		return event.TierRebuild, "no plain COPY line says where it goes"
	case e.Removed:
		return event.TierRebuild, "it is gone, and a copy cannot delete"
	}
	return event.TierSync, "a COPY line of the Dockerfile says where it goes"
}

func (w Watch) rebuilds(path string) bool {
	for _, pattern := range w.Rebuild {
		if _, ok := matchFrom(cleanFrom(pattern), path); ok {
			return true
		}
	}
	return false
}

// Landing is where a file of the host goes in a container.
type Landing struct {
	To       string
	UID, GID int
	Mode     int64
}

// destinations returns where a file goes by the copies; nothing where none takes it,
// or one of those that do is not plain.
func destinations(file string, copies []Copy) []Landing {
	var all []Landing
	for _, c := range copies {
		to, ok := c.lands(file)
		switch {
		case !ok:
		case to == "":
			return nil
		default:
			all = append(all, Landing{to, c.UID, c.GID, c.Mode})
		}
	}
	return all
}

// lands returns where the copy puts a file; false where it does not take the file.
func (c Copy) lands(file string) (to string, ok bool) {
	rest, ok := matchFrom(cleanFrom(c.From), file)
	switch {
	case !ok || c.To == "":
		return "", ok
	case rest != "": // a folder's content goes into the target, whatever it is called
		return path.Join(c.To, rest), true
	case strings.HasSuffix(c.To, "/"):
		return path.Join(c.To, path.Base(file)), true
	case path.Base(file) == path.Base(c.To), path.Ext(file) != "" && path.Ext(file) == path.Ext(c.To):
		return path.Clean(c.To), true
	default: // the target may be a folder of the image, which would take the file in
		return "", true
	}
}

func cleanFrom(from string) string { return strings.TrimPrefix(path.Clean("/"+from), "/") }

// matchFrom tells whether a source of a copy takes a file. Where it takes it as a part
// of a folder, rest is the file's path within that.
func matchFrom(from, file string) (rest string, ok bool) {
	if from == "" {
		return file, true
	}
	depth := strings.Count(from, "/") + 1
	parts := strings.SplitN(file, "/", depth+1)
	if len(parts) < depth {
		return "", false
	}
	matched, err := path.Match(from, strings.Join(parts[:depth], "/"))
	if err != nil || !matched {
		return "", false
	}
	if len(parts) > depth {
		rest = parts[depth]
	}
	return rest, true
}

func isWithin(folder, file string) bool {
	_, ok := relative(folder, file)
	return ok
}

// relative is a file's path within a folder, with slashes.
func relative(folder, file string) (string, bool) {
	inside, err := filepath.Rel(folder, file)
	if err != nil || !filepath.IsLocal(inside) {
		return "", false
	}
	return filepath.ToSlash(inside), true
}
