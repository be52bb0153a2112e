package watch

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// deed is something that happens to files, and what is reported of it.
type deed struct {
	name  string
	do    func(l *lab)
	want  []string
	needs string // an operating system's family: "unix"
}

// given is the folder before each deed.
func given(l *lab, _ *Options) {
	l.write("main.py", "print(1)\n")
	l.write("Makefile", "all:\n")
	l.write("src/a.py", "a = 1\n")
	l.write("src/deep/b.py", "b = 1\n")
	l.write("../outside/in.py", "moved in\n")
	l.write("../outside/folder/x/in.py", "moved in too\n")
}

func deeds() []deed {
	return []deed{
		{name: "a write in place", want: []string{"modified main.py"}, do: func(l *lab) { l.append("main.py", "more\n") }},
		{name: "a truncation and a write", want: []string{"modified main.py"}, do: func(l *lab) {
			l.must(os.Truncate(l.at("main.py"), 0))
			l.append("main.py", "new\n")
		}},
		{name: "a write of as many bytes", want: []string{"modified main.py"}, do: func(l *lab) { l.write("main.py", "print(2)\n") }},
		{name: "a touch", do: func(l *lab) { l.must(os.Chtimes(l.at("main.py"), time.Now(), time.Now().Add(time.Hour))) }},
		{name: "a save of the same bytes", do: func(l *lab) { l.write("main.py", "print(1)\n") }},
		{name: "a rename over it of the same bytes", do: func(l *lab) {
			l.write("tmp", "print(1)\n")
			l.rename("tmp", "main.py")
		}},
		{name: "a change and its undo", do: func(l *lab) {
			l.write("main.py", "oops")
			l.write("main.py", "print(1)\n")
		}},
		{name: "a file that comes and goes", do: func(l *lab) {
			l.write("tmp", "x")
			l.remove("tmp")
		}},
		{name: "a burst of saves", want: []string{"modified main.py"}, do: func(l *lab) {
			for i := range 200 {
				l.write("main.py", fmt.Sprint("save ", i))
			}
		}},
		{name: "a new file", want: []string{"added new.py"}, do: func(l *lab) { l.write("new.py", "new") }},
		{name: "a new empty file", want: []string{"added src/__init__.py"}, do: func(l *lab) { l.write("src/__init__.py", "") }},
		{name: "a removed file", want: []string{"removed src/a.py"}, do: func(l *lab) { l.remove("src/a.py") }},
		{name: "an empty folder", do: func(l *lab) { l.mkdir("nothing/in/it") }},
		{name: "a folder created and filled at once", want: []string{"added new/a", "added new/b/c", "added new/b/d/e"}, do: func(l *lab) {
			l.write("new/a", "1")
			l.write("new/b/c", "2")
			l.write("new/b/d/e", "3")
		}},
		{name: "a renamed file", want: []string{"renamed app.py from main.py"}, do: func(l *lab) { l.rename("main.py", "app.py") }},
		{
			name: "a renamed folder",
			want: []string{"renamed lib/a.py from src/a.py", "renamed lib/deep/b.py from src/deep/b.py"},
			do:   func(l *lab) { l.rename("src", "lib") },
		},
		{name: "a case-only rename", want: []string{"renamed Main.py from main.py"}, do: func(l *lab) { l.rename("main.py", "Main.py") }},
		{
			name: "a case-only rename of a folder",
			want: []string{"renamed Src/a.py from src/a.py", "renamed Src/deep/b.py from src/deep/b.py"},
			do:   func(l *lab) { l.rename("src", "Src") },
		},
		{name: "a move in", want: []string{"added src/in.py"}, do: func(l *lab) { l.rename("../outside/in.py", "src/in.py") }},
		{name: "a move in of a folder", want: []string{"added got/x/in.py"}, do: func(l *lab) { l.rename("../outside/folder", "got") }},
		{name: "a move out", want: []string{"removed main.py"}, do: func(l *lab) { l.rename("main.py", "../outside/main.py") }},
		{name: "a move out of a folder", want: []string{"removed src/a.py", "removed src/deep/b.py"}, do: func(l *lab) { l.rename("src", "../outside/src") }},
		{name: "a folder deleted and made again as it was", do: func(l *lab) {
			l.removeAll("src")
			l.write("src/a.py", "a = 1\n")
			l.write("src/deep/b.py", "b = 1\n")
		}},
		{name: "a folder deleted and made again otherwise", want: []string{"modified src/a.py", "removed src/deep/b.py", "added src/c.py"}, do: func(l *lab) {
			l.removeAll("src")
			l.write("src/a.py", "a = 2\n")
			l.write("src/c.py", "c = 1\n")
		}},
		{name: "two folders that swap names", want: []string{
			"renamed src/b.py from src/deep/b.py", "renamed src/deep/a.py from src/a.py",
		}, do: func(l *lab) {
			l.rename("src/deep", "tmp")
			l.rename("src", "tmp/deep")
			l.rename("tmp", "src")
		}},
		{name: "a file in the place of a folder", want: []string{"added src", "removed src/a.py", "removed src/deep/b.py"}, do: func(l *lab) {
			l.removeAll("src")
			l.write("src", "a file")
		}},
		{name: "a folder in the place of a file", want: []string{"removed main.py", "added main.py/x"}, do: func(l *lab) {
			l.remove("main.py")
			l.write("main.py/x", "in it")
		}},
		{name: "chmod +x", needs: "unix", want: []string{"permissions of main.py"}, do: func(l *lab) { l.must(os.Chmod(l.at("main.py"), 0o755)) }},
		{name: "chmod and back", needs: "unix", do: func(l *lab) {
			l.must(os.Chmod(l.at("main.py"), 0o755))
			l.must(os.Chmod(l.at("main.py"), 0o644))
		}},
		{name: "chmod of a folder", needs: "unix", do: func(l *lab) { l.must(os.Chmod(l.at("src"), 0o700)) }},
		{name: "what never is of interest", do: func(l *lab) {
			l.write(".git/HEAD", "ref: refs/heads/main\n")
			l.write("src/__pycache__/a.pyc", "x")
			l.write(".merlin-local/session", "x")
			l.write("src/.DS_Store", "x")
		}},
	}
}

func TestWhatHappensToFilesIsReportedAsWhatItComesTo(t *testing.T) {
	for _, d := range append(deeds(), saves()...) {
		t.Run(d.name, func(t *testing.T) {
			if d.needs == "unix" && runtime.GOOS == "windows" {
				t.Skip("NOT TESTED: Windows has no such thing")
			}
			onBoth(t, given, func(l *lab) {
				l.first()
				d.do(l)
				l.expect(d.want...)
				// Whatever it was, all is still watched after it.
				l.write("after/that.py", "x")
				l.write("src-after", "x")
				l.expect("added after/that.py", "added src-after")
			})
		})
	}
}

func TestAMovedFolderIsWatchedUnderItsNewName(t *testing.T) {
	onBoth(t, given, func(l *lab) {
		l.first()
		l.rename("src", "lib")
		l.expect("renamed lib/a.py from src/a.py", "renamed lib/deep/b.py from src/deep/b.py")
		l.append("lib/deep/b.py", "more")
		l.expect("modified lib/deep/b.py")
		l.write("src/deep/b.py", "in the old place")
		l.expect("added src/deep/b.py")
		l.append("src/deep/b.py", "more")
		l.append("lib/deep/b.py", "more")
		l.expect("modified src/deep/b.py", "modified lib/deep/b.py")
	})
}
