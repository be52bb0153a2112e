package watch

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The kernel's queue itself overflows, because nobody reads it for a while.
func TestTheKernelsOverflowLosesNothing(t *testing.T) {
	needsNotifications(t)
	l := newLab(t, given, false)
	gate := make(chan struct{})
	l.watcher.open = func() (feed, error) {
		f, err := openFeed()
		if err != nil {
			return f, err
		}
		kernel, held := f.events, make(chan fsnotify.Event)
		go func() {
			defer close(held)
			<-gate
			for e := range kernel {
				held <- e
			}
		}()
		f.events = held
		return f, nil
	}
	l.notified()
	l.first()
	for i := range 20_000 { // the queue holds 16,384, and drops what is like the last
		l.must(os.Chtimes(l.at([]string{"main.py", "Makefile"}[i%2]), time.Time{}, time.Now()))
	}
	l.write("new/folder/x", "x")
	l.append("src/deep/b.py", "more")
	close(gate)
	clock := l.watcher.clock.(*manual)
	for began := time.Now(); len(l.noticesOf(Overflow)) == 0 && time.Since(began) < time.Minute; runtime.Gosched() {
		clock.advance(quiet)
	}
	if len(l.noticesOf(Overflow)) == 0 {
		t.Fatal("the queue did not overflow")
	}
	l.eventually("added new/folder/x", "modified src/deep/b.py")
	l.append("new/folder/x", "watched")
	l.eventually("modified new/folder/x")
	l.stop()
}

// The kernel's own limit, in a user namespace that has a lower one.
func TestTheKernelsLimitIsSaid(t *testing.T) {
	const inside = "MERLIN_LOCAL_WATCH_LIMIT"
	if os.Getenv(inside) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTheKernelsLimitIsSaid$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if err != nil && len(out) == 0 {
			t.Skip("NOT TESTED: the kernel's own limit, because there is no user namespace to be had: " + err.Error())
		}
		if err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	l := newLab(t, given, false)
	l.must(os.WriteFile("/proc/sys/user/max_inotify_watches", []byte("2"), 0))
	l.notified()
	if told := l.noticesOf(Limit); len(told) != 1 || !strings.Contains(told[0].Text, "max_user_watches") {
		t.Errorf("told %v", l.notices)
	}
	l.stop()
}

func TestFileSystemsThatOthersChangeArePolled(t *testing.T) {
	for kind, want := range map[int64]string{
		0x6969: "NFS", 0xfe534d42: "SMB", -0x1acb2be: "SMB", 0xff534d42: "SMB", 0x65735546: "FUSE", 0x01021997: "9p",
		0xef53: "", 0x794c7630: "", 0x01021994: "", 0x9123683e: "",
	} {
		if got := remote(kind); got != want {
			t.Errorf("%#x is %q, want %q", kind, got, want)
		}
	}
	l := newLab(t, given, false)
	l.watcher.whyPoll = func(folder string) string { return folder + " is on NFS" }
	l.watcher.open = func() (feed, error) {
		t.Error("notifications were asked for")
		return openFeed()
	}
	l.start()
	l.stop()
	if told := l.noticesOf(Polling); len(told) != 1 || !strings.Contains(told[0].Text, "is on NFS, so it is polled") {
		t.Errorf("told %v", l.notices)
	}
}

// The kernel knows a folder by its inode, fsnotify by the path of its first Add: one
// that was moved is heard of under its new path, even where the old one was not let go
// of before.
func TestAMovedPlaceIsHeardOfUnderItsNewPath(t *testing.T) {
	needsNotifications(t)
	l := newLab(t, given, false)
	n, err := newNotifier(openFeed)
	l.must(err)
	defer func() { l.must(n.close()) }()
	id := func(path string) fileID {
		info, err := os.Stat(l.at(path))
		l.must(err)
		return statOf(info).ID
	}
	n.add(l.at("src/deep"), id("src/deep"), "src/deep")
	l.rename("src", "lib")
	n.add(l.at("lib/deep"), id("lib/deep"), "lib/deep")
	l.append("lib/deep/b.py", "more")
	<-n.wake
	if paths, lost := n.take(); lost || !slices.Equal(paths, []string{"lib/deep/b.py"}) {
		t.Errorf("heard of %v", paths)
	}
}
