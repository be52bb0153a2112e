package watch

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"
)

// checkout makes a repository of many files that differ on two branches, and returns
// what switches between them. Without git, what git does is done by hand: it replaces
// each file by a new one.
func (l *lab) checkout(files int) (switchTo func(branch string)) {
	fill := func(branch string) {
		for i := range files {
			l.write(fmt.Sprintf("pkg%d/file%d.py", i%40, i), fmt.Sprintf("%s %d\n", branch, i))
		}
		l.write("only-on-"+branch+"/file.py", branch)
	}
	if _, err := exec.LookPath("git"); err != nil {
		l.t.Log("NOT TESTED with git itself, only with what it does: " + err.Error())
		fill("one")
		return func(branch string) {
			l.removeAll("only-on-one")
			l.removeAll("only-on-two")
			for i := range files {
				l.remove(fmt.Sprintf("pkg%d/file%d.py", i%40, i))
			}
			fill(branch)
		}
	}
	l.git("init", "-q", "-b", "two")
	fill("two")
	l.git("add", ".")
	l.git("commit", "-qm", "two")
	l.git("checkout", "-qb", "one")
	l.removeAll("only-on-two")
	fill("one")
	l.git("add", ".")
	l.git("commit", "-qm", "one")
	return func(branch string) { l.git("checkout", "-q", branch) }
}

func (l *lab) git(args ...string) {
	l.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "gc.auto=0", "-c", "core.fsync=none"}, args...)...)
	cmd.Dir = l.root
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func TestACheckoutOfThousandsOfFilesIsOneSet(t *testing.T) {
	const files = 2000
	var switchTo func(string)
	onBoth(t, func(l *lab, _ *Options) { switchTo = l.checkout(files) }, func(l *lab) {
		one := l.first().Tree
		modified := make([]string, 0, files+2)
		for i := range files {
			modified = append(modified, fmt.Sprintf("modified pkg%d/file%d.py", i%40, i))
		}
		switchTo("two")
		l.expect(append(modified, "added only-on-two/file.py", "removed only-on-one/file.py")...)
		switchTo("one")
		l.pass()
		back := l.taken()
		if len(back) != 1 || len(back[0].Changes) != files+2 {
			l.t.Fatalf("reported on the way back: %v", back)
		}
		if back[0].Tree != one {
			l.t.Error("the same content has another sum than before")
		}
		switchTo("two")
		switchTo("one")
		l.expect()
	})
}

// While git holds the lock of its index, what it did so far is not reported; but not
// for ever, and not for a lock that a dead git left.
func TestGitAtWorkIsWaitedFor(t *testing.T) {
	onPolling(t, func(l *lab, o *Options) {
		given(l, o)
		l.mkdir(".git")
	}, func(l *lab) {
		l.first()
		lock := func() {
			l.write(".git/index.lock", "")
			now := l.watcher.clock.Now()
			l.must(os.Chtimes(l.at(".git/index.lock"), now, now))
		}
		sets := func(after time.Duration) int {
			time.Sleep(after)
			synctest.Wait()
			return len(l.taken())
		}
		lock()
		l.append("main.py", "half a checkout")
		if n := sets(5 * time.Second); n != 0 {
			l.t.Error("reported while git was at work")
		}
		l.append("src/a.py", "the other half")
		l.remove(".git/index.lock")
		l.expect("modified main.py", "modified src/a.py")
		lock()
		l.append("main.py", "more")
		if n := sets(gitPatience - time.Second); n != 0 {
			l.t.Error("reported while git was at work")
		}
		if n := sets(4 * time.Second); n != 1 {
			l.t.Errorf("%d sets once git has been at work for long", n)
		}
		l.append("main.py", "the lock is old now")
		if n := sets(2 * time.Second); n != 1 {
			l.t.Errorf("%d sets with a lock that was left behind", n)
		}
	})
}

func TestGitOfAWorktreeIsFound(t *testing.T) {
	l := newLab(t, nil, true)
	l.write("../outside/gitdir/index.lock", "")
	for _, link := range []string{"gitdir: " + l.outside + "/gitdir\n", "gitdir: ../outside/gitdir\n"} {
		l.write(".git", link)
		if !gitBusy(l.root, time.Now()) {
			t.Errorf("not found through %q", link)
		}
	}
	l.write(".git", "something else")
	if gitBusy(l.root, time.Now()) {
		t.Error("found git's folder where none is named")
	}
}
