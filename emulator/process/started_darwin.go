package process

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// startedAt identifies the process with that id by when it started; empty where
// there is none.
func startedAt(pid int) string {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(info.Proc.P_pid) != pid {
		return ""
	}
	return fmt.Sprintf("%d.%06d", info.Proc.P_starttime.Sec, info.Proc.P_starttime.Usec)
}
