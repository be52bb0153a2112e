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
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return false
	}
	for _, path := range processes {
		pid := filepath.Base(path)
		if stat(pid, statGroup) == strconv.Itoa(group) && stat(pid, statState) != "Z" {
			return false
		}
	}
	return true
}
