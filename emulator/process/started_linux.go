package process

import (
	"bytes"
	"os"
	"strconv"
)

// startedAt identifies the process with that id by when it started, in clock ticks
// since the boot; empty where there is none. See proc(5), stat, field 22.
func startedAt(pid int) string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The second field is a name in parentheses that may hold anything.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	const startTime = 22 - 3
	if len(fields) <= startTime {
		return ""
	}
	return string(fields[startTime])
}
