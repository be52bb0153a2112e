package watch

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// trouble puts an error of the notifications in words, with what to do about it.
// folders is how many are to be watched.
func trouble(err error, folders int) Notice {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return limitNotice("max_user_watches", "no more folders can be watched", atLeast(folders*2, 524288))
	case errors.Is(err, syscall.EMFILE):
		return limitNotice("max_user_instances", "no more programs can watch folders", 1024)
	}
	return Notice{Polling, "", fmt.Sprintf("notifications are not to be had (%v), so the folder is polled: changes take a moment longer to be seen", err)}
}

// limitNotice says how a limit of inotify is raised, at once and for good.
func limitNotice(name, means string, want int) Notice {
	key := "fs.inotify." + name
	now := ""
	if value, err := os.ReadFile("/proc/sys/fs/inotify/" + name); err == nil {
		now = " (it is " + strings.TrimSpace(string(value)) + ")"
	}
	setting := fmt.Sprintf("%s=%d", key, want)
	return Notice{Limit, "", fmt.Sprintf("the kernel's limit %s is reached%s: %s, so the folder is polled, and changes take a moment longer to be seen. "+
		"To raise it: sudo sysctl -w %s; to keep it so: echo %s | sudo tee /etc/sysctl.d/60-inotify.conf", key, now, means, setting, setting)}
}

// atLeast is the first doubling of least that is not below want.
func atLeast(want, least int) int {
	for least < want {
		least *= 2
	}
	return least
}
