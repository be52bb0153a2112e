package watch

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

// poller looks for changes a bit at a time, so that an idle tree costs next to nothing:
// every turn asks for all folders, because a file that comes, goes or is replaced
// changes its folder, and for the files of some folders in turn, because a file that is
// written in place changes nothing else. The folders of the latest changes have theirs
// every turn.
type poller struct {
	turn []*folder // whose files have not had their turn in this round
	hot  []*folder
	// seen is what was there when a path was last reported, until it is looked at.
	seen map[string]stat
}

const (
	// filesATurn is how many files have their turn at least.
	filesATurn = 1500
	hotFolders = 8

	pollFast = 500 * time.Millisecond
	pollSlow = 30 * time.Second
	// pollShare: a turn that takes a second of one processor is worth a pause of 350,
	// which is less than 0.3 %.
	pollShare = 350
)

// pause is how long to wait after a turn that took so long.
func pause(took time.Duration) time.Duration {
	return min(max(took*pollShare, pollFast), pollSlow)
}

// glance is one turn: the paths that are not what the tree knows, or not what the last
// turn saw.
func (p *poller) glance(t *tree) []string {
	if p.seen == nil {
		p.seen = map[string]stat{}
	}
	var paths []string
	report := func(at string, is stat) {
		if was, known := p.seen[at]; !known || was != is {
			p.seen[at] = is
			paths = append(paths, at)
		}
	}
	if real, info, err := t.resolveRoot(); missing(err) != t.missing || err == nil && (real != t.top.real || statOf(info).ID != t.top.stat.ID) {
		is := stat{}
		if err == nil {
			is = statOf(info)
		}
		report(".", is)
		return paths
	}
	var all []*folder
	t.top.walk(func(f *folder) {
		all = append(all, f)
		if info, err := os.Stat(f.real); err == nil && statOf(info) != f.stat {
			report(f.path, statOf(info))
		}
	})
	for _, at := range t.strayed() {
		report(at, stat{})
	}
	for _, f := range p.next(all) {
		p.files(t, f, report)
	}
	return paths
}

// next are the folders whose files have their turn.
func (p *poller) next(all []*folder) []*folder {
	gone := func(f *folder) bool { return f.gone }
	p.hot = slices.DeleteFunc(p.hot, gone)
	if len(p.turn) == 0 {
		p.turn = all
	}
	chosen := slices.Clone(p.hot)
	files := 0
	for len(p.turn) > 0 && files < filesATurn {
		if f := p.turn[0]; !f.gone {
			files += 1 + len(f.files)
			chosen = append(chosen, f)
		}
		p.turn = p.turn[1:]
	}
	return chosen
}

// files compares a folder's names and files with what the tree knows.
func (p *poller) files(t *tree, f *folder, report func(string, stat)) {
	there, err := namesIn(f.real)
	if err != nil {
		return // the folder above tells
	}
	for name := range there {
		if _, left := f.ignored[name]; !left && f.files[name] == nil && f.folders[name] == nil && t.interesting(f, name) {
			report(f.child(name), stat{})
		}
	}
	now := t.now()
	for name, was := range f.files {
		if was.link != nil {
			continue // strayed tells
		}
		info, err := os.Lstat(filepath.Join(f.real, name))
		switch {
		case err != nil:
			report(f.child(name), stat{})
		case statOf(info) != was.stat, was.racy && !was.stat.racy(now):
			report(f.child(name), statOf(info))
		}
	}
}

// looked says that the tree knows these paths now.
func (p *poller) looked(t *tree, paths map[string]bool) {
	for at := range paths {
		delete(p.seen, at)
		f, _ := t.find(at)
		if f == t.beside || slices.Contains(p.hot, f) {
			continue
		}
		p.hot = append(p.hot, f)
	}
	p.hot = p.hot[max(0, len(p.hot)-hotFolders):]
}

// interesting says whether rules would take a path, or something below it.
func (t *tree) interesting(f *folder, name string) bool {
	at := f.child(name)
	v := t.rules.judge(at, f.verdict)
	return !v.ignored || t.rules.enters(at, v)
}
