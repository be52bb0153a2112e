package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// family is a subject's process and its children, as nginx has workers. It is
// empty for the direct load, and where the system has no /proc; then nothing is
// known of it.
type family []int

func (c *child) family() family {
	if c == nil {
		return nil
	}
	first := c.cmd.Process.Pid
	pids := family{first}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if fields := statFields(pid); err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(first) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// statFields are those of /proc/PID/stat after the name, which may have spaces:
// state, parent and so on.
func statFields(pid int) []string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(data[bytes.LastIndexByte(data, ')')+1:]), " ")
	return strings.Fields(rest)
}

// tick is the unit of times in /proc, on every Linux.
const tick = 10 * time.Millisecond

// cpu is what all have used since they started.
func (f family) cpu() time.Duration {
	var ticks int64
	for _, pid := range f {
		fields := statFields(pid)
		if len(fields) < 13 {
			continue
		}
		for _, field := range fields[11:13] { // user and system
			n, _ := strconv.ParseInt(field, 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * tick
}

// resetPeak lets peak start from what is resident now.
func (f family) resetPeak() {
	for _, pid := range f {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
	}
}

func (f family) peak() int64     { return f.status("VmHWM:") }
func (f family) resident() int64 { return f.status("VmRSS:") }

// status sums a line of /proc/PID/status, in bytes. What processes share is
// counted for each.
func (f family) status(name string) int64 {
	var sum int64
	for _, pid := range f {
		data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(data)) {
			if value, ok := strings.CutPrefix(line, name); ok {
				kib, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
				sum += kib << 10
			}
		}
	}
	return sum
}
