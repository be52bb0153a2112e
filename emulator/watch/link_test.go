//go:build !windows

package watch

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func linked(l *lab, o *Options) {
	given(l, o)
	l.write("../outside/weights.bin", "weights 1")
	l.write("../outside/data/one/a.csv", "1")
	l.write("../outside/data2/one/a.csv", "1")
	l.write("../outside/data2/one/b.csv", "2")
	l.symlink("../outside/weights.bin", "weights.bin")
	l.symlink(l.outside+"/data", "data")
	l.symlink("src", "inner")
	l.symlink("main.py", "entry.py")
	l.symlink("nowhere", "dangling")
}

func TestLinksAreFollowedToWhatIsOutside(t *testing.T) {
	onBoth(t, linked, func(l *lab) {
		l.first()
		l.append("../outside/weights.bin", "more")
		l.expect("modified weights.bin")
		l.write("../outside/tmp", "replaced")
		l.rename("../outside/tmp", "../outside/weights.bin")
		l.expect("modified weights.bin")
		l.append("../outside/weights.bin", "and watched still")
		l.expect("modified weights.bin")
		l.append("../outside/data/one/a.csv", "more")
		l.write("../outside/data/two/b.csv", "new")
		l.expect("modified data/one/a.csv", "added data/two/b.csv")
		l.write("../outside/in.py", "not linked to")
		l.expect()
	})
}

// A target inside is watched under its own path, so it is reported once.
func TestLinksToWhatIsInsideCountByTheirText(t *testing.T) {
	onBoth(t, linked, func(l *lab) {
		l.first()
		l.append("src/a.py", "more")
		l.append("main.py", "more")
		l.expect("modified src/a.py", "modified main.py")
		l.write("nowhere", "is somewhere now")
		l.expect("added nowhere")
	})
}

func TestARetargetedLinkIsAChange(t *testing.T) {
	onBoth(t, linked, func(l *lab) {
		l.first()
		retarget := func(target, path string) {
			l.symlink(target, "tmp")
			l.rename("tmp", path)
		}
		retarget("src/a.py", "entry.py")
		l.expect("modified entry.py")
		retarget("../outside/in.py", "weights.bin")
		l.expect("modified weights.bin")
		l.append("../outside/weights.bin", "no longer of interest")
		l.append("../outside/in.py", "but this is")
		l.expect("modified weights.bin")
		retarget(l.outside+"/data2", "data")
		l.expect("modified data", "added data/one/b.csv")
		l.append("../outside/data/one/a.csv", "no longer of interest")
		l.append("../outside/data2/one/b.csv", "but this is")
		l.expect("modified data/one/b.csv")
		l.remove("data")
		l.expect("removed data", "removed data/one/a.csv", "removed data/one/b.csv")
	})
}

func TestTwoLinksToOneFolderReportBoth(t *testing.T) {
	onBoth(t, linked, func(l *lab) {
		l.first()
		l.symlink(l.outside+"/data", "again")
		l.expect("added again", "added again/one/a.csv")
		l.append("../outside/data/one/a.csv", "more")
		l.expect("modified data/one/a.csv", "modified again/one/a.csv")
		l.remove("data")
		l.expect("removed data", "removed data/one/a.csv")
		l.append("../outside/data/one/a.csv", "more")
		l.expect("modified again/one/a.csv")
	})
}

func TestLinksInCirclesEnd(t *testing.T) {
	onBoth(t, func(l *lab, o *Options) {
		linked(l, o)
		l.symlink(".", "self")
		l.symlink("..", "above")
		l.symlink("loop-b", "loop-a")
		l.symlink("loop-a", "loop-b")
		l.symlink(l.root, "../outside/data/back")
		l.symlink("..", "../outside/data/up")
		l.symlink(l.outside+"/data2", "../outside/data/next")
		l.symlink(l.outside+"/data", "../outside/data2/round")
	}, func(l *lab) {
		l.first()
		l.append("main.py", "more")
		l.append("../outside/data2/one/a.csv", "more")
		l.expect("modified main.py", "modified data/next/one/a.csv")
		told := l.noticesOf(Link)
		if len(told) == 0 || !strings.Contains(told[0].Text, "so it is not followed") {
			l.t.Errorf("told %v", told)
		}
	})
}

func TestWhatIsNoFileIsNotReadAndWhatCannotBeIsSaid(t *testing.T) {
	onBoth(t, given, func(l *lab) {
		l.first()
		l.must(syscall.Mkfifo(l.at("pipe"), 0o644)) // one who opens it waits for a writer
		l.expect()
		l.remove("pipe")
		l.write("pipe", "a file now")
		l.expect("added pipe")
		if _, err := os.Stat("/proc/self/mem"); err != nil {
			return
		}
		l.symlink("/proc/self/mem", "broken") // a file whose beginning cannot be read
		l.expect("added broken")
		if told := l.noticesOf(Unreadable); len(told) != 1 || told[0].Path != "broken" {
			l.t.Errorf("told %v", told)
		}
	})
}
