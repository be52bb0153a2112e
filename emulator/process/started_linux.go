package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// What /proc/PID/stat says, by its fields as proc(5) counts them.
const (
	statState   = 3
	statGroup   = 5
	statStarted = 22
)

// stat reads one field of a process; empty where there is none.
func stat(pid string, field int) string {
	data, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return ""
	}
	// The second field is a name in parentheses that may hold anything.
	const afterName = 3
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) <= field-afterName {
		return ""
	}
	return string(fields[field-afterName])
}

// startedAt identifies the process with that id by when it started, in clock ticks
// since the boot; empty where there is none.
func startedAt(pid int) string { return stat(strconv.Itoa(pid), statStarted) }

// allZombies tells whether nothing of a group runs any more, though its processes
// are still listed: an init that does not reap, as in many containers, leaves
// orphans so for a long time.
func allZombies(group int) bool {
	for _, pid := range ofGroup(group) {
		if stat(pid, statState) != "Z" {
			return false
		}
	}
	return true
}

// allStopped tells whether no thread of a group runs: a SIGSTOP reaches one thread, and the
// others when that one has taken it.
func allStopped(group int) bool {
	for _, pid := range ofGroup(group) {
		threads, _ := filepath.Glob("/proc/" + pid + "/task/*") // the pattern is a good one
		for _, thread := range threads {
			switch stat(pid+"/task/"+filepath.Base(thread), statState) {
			case "T", "Z", "X", "": // stopped, or gone
			default:
				return false
			}
		}
	}
	return true
}

// ofGroup are the ids of a group's processes.
func ofGroup(group int) (pids []string) {
	processes, _ := filepath.Glob("/proc/[0-9]*") // the pattern is a good one
	for _, path := range processes {
		if pid := filepath.Base(path); stat(pid, statGroup) == strconv.Itoa(group) {
			pids = append(pids, pid)
		}
	}
	return pids
}
