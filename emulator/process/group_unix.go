//go:build unix

package process

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// tree is a process group: its id is the leader's.
type tree struct{}

func shellCommand(command string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func (tree) start(cmd *exec.Cmd) error { return cmd.Start() }

func (tree) terminate(pid int) { _ = syscall.Kill(-pid, syscall.SIGTERM) }

// freeze stops the group until it is killed, and returns once nothing of it runs, or ctx
// ends.
func (tree) freeze(ctx context.Context, pid int) error {
	if err := syscall.Kill(-pid, syscall.SIGSTOP); err != nil {
		return err
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !allStopped(pid) {
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (tree) kill(pid int) { killGroup(pid) }

func (tree) alive(pid int) bool { return syscall.Kill(-pid, 0) == nil && !allZombies(pid) }

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
