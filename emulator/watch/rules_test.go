package watch

import (
	"strings"
	"testing"
)

func buildContext(l *lab, o *Options) {
	given(l, o)
	l.write("Dockerfile", "FROM scratch\n")
	l.write(".dockerignore", "*.md\n**/*.log\ndata\n!data/keep/**/*.csv\nnode_modules\n!README.md\n.dockerignore\nDockerfile\n")
	l.write("data/big.bin", "big")
	l.write("data/keep/x/a.csv", "1")
	l.write("node_modules/m/index.js", "1")
	l.write("notes.md", "notes")
	l.write("README.md", "readme")
	o.Dockerfile = l.at("Dockerfile")
	o.Ignore = []string{"scratch", "src/generated_*"}
	o.Cache = l.at("of-ours")
}

func TestTheIgnoreFileOfTheContextCounts(t *testing.T) {
	onBoth(t, buildContext, func(l *lab) {
		l.first()
		l.append("notes.md", "more")
		l.write("src/deep/run.log", "x")
		l.append("data/big.bin", "more")
		l.append("node_modules/m/index.js", "more")
		l.write("scratch/x", "x")
		l.write("src/generated_pb.py", "x")
		l.write("of-ours/x", "x")
		l.expect()
		l.append("README.md", "more")
		l.append("data/keep/x/a.csv", "more")
		l.write("data/keep/y/z/b.csv", "new")
		l.append("Dockerfile", "more")
		l.expect("modified README.md", "modified data/keep/x/a.csv", "added data/keep/y/z/b.csv", "modified Dockerfile")
	})
}

func TestAChangeOfTheIgnoreFileChangesWhatIsThere(t *testing.T) {
	onBoth(t, buildContext, func(l *lab) {
		l.first()
		l.write(".dockerignore", "src\nREADME.md\nnode_modules\n")
		l.expect("modified .dockerignore", "removed README.md", "removed src/a.py", "removed src/deep/b.py", "added data/big.bin", "added notes.md")
		l.append("src/a.py", "more")
		l.expect()
		l.append("data/big.bin", "more")
		l.expect("modified data/big.bin")
		l.write("Dockerfile.dockerignore", "") // it wins, and it ignores nothing
		l.expect("added Dockerfile.dockerignore", "added README.md", "added src/a.py", "added src/deep/b.py", "added node_modules/m/index.js")
		l.append(".dockerignore", "main.py\n")
		l.expect("modified .dockerignore")
		l.remove("Dockerfile.dockerignore")
		l.expect("removed Dockerfile.dockerignore", "removed README.md", "removed main.py", "removed src/a.py", "removed src/deep/b.py", "removed node_modules/m/index.js")
		l.remove(".dockerignore")
		l.expect("removed .dockerignore", "added README.md", "added main.py", "added src/a.py", "added src/deep/b.py", "added node_modules/m/index.js")
	})
}

func TestABadIgnoreFileIsSaidAndChangesNothing(t *testing.T) {
	onBoth(t, buildContext, func(l *lab) {
		l.first()
		l.append(".dockerignore", "[a-\n")
		l.pass()
		if sets := l.taken(); len(sets) != 1 || sets[0].String() != "modified .dockerignore" {
			l.t.Errorf("reported %v", sets)
		}
		told := l.noticesOf(BadPattern)
		if len(told) == 0 || !strings.Contains(told[0].Text, "syntax error in pattern") || !strings.Contains(told[0].Text, ".dockerignore") {
			l.t.Errorf("told %v", told)
		}
		l.append("notes.md", "ignored still")
		l.expect()
	})
}

func TestADockerfileOutsideOfTheRootIsWatchedThere(t *testing.T) {
	onBoth(t, func(l *lab, o *Options) {
		buildContext(l, o)
		l.write("../outside/docker/Dockerfile", "FROM scratch\n")
		o.Dockerfile = l.at("../outside/docker/Dockerfile")
	}, func(l *lab) {
		l.first()
		l.append("../outside/docker/Dockerfile", "more")
		l.write("../outside/docker/other", "not of interest")
		l.expect("modified ../outside/docker/Dockerfile")
		l.rename("../outside/docker/Dockerfile", "../outside/docker/old")
		l.write("../outside/docker/Dockerfile", "replaced")
		l.expect("modified ../outside/docker/Dockerfile")
	})
}

// Ignored folders take no notifications where no negation reaches into them.
func TestIgnoredFoldersAreNotWatched(t *testing.T) {
	l := newLab(t, buildContext, true)
	l.write(".git/objects/aa/x", "x")
	l.write("data/other/y", "y")
	tree := newTree(l.watcher.options, l.watcher.clock.Now, func(Notice) {})
	watched := placesOf{}
	tree.spots = watched
	tree.adoptCurrent()
	tree.everything()
	for path, want := range map[string]bool{
		".": true, "src/deep": true, "data/keep/x": true, "data": true,
		"node_modules": false, "node_modules/m": false, ".git": false, ".git/objects": false, "data/other": false,
	} {
		if watched[path] != want {
			t.Errorf("%s is watched: %v", path, !want)
		}
	}
}

type placesOf map[string]bool

func (p placesOf) add(_ string, _ fileID, path string) { p[path] = true }
func (p placesOf) remove(_, path string)               { delete(p, path) }

func TestWhereANegationReaches(t *testing.T) {
	for _, c := range []struct {
		pattern, folder string
		want            bool
	}{
		{"data/keep", "data", true},
		{"data/keep/x", "data/keep", true},
		{"data/keep", "data/keep", false},
		{"data", "data/keep", false},
		{"*/keep", "data", true},
		{"src/keep", "data", false},
		{"**/keep", "data", true},
		{"data/**/a", "data/x/y", true},
		{"data/**/a", "src", false},
		{"d?ta/k*/x", "data/keep", true},
	} {
		if reaches(c.pattern, c.folder) != c.want {
			t.Errorf("!%s reaches into %s: %v", c.pattern, c.folder, !c.want)
		}
	}
}

func TestOptionsThatCannotBeUsed(t *testing.T) {
	if _, err := New(Options{Root: ".", Ignore: []string{"[a-"}}); err == nil || !strings.Contains(err.Error(), "patterns of what is not watched") {
		t.Error(err)
	}
	w, err := New(Options{Root: t.TempDir() + "/missing"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(t.Context(), func(Set) {}); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Error(err)
	}
}
