//go:build unix

package process

import (
	"os"
	"os/exec"
	"syscall"
)

type platform struct{}

func shellCommand(command string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func (g *group) start() error { return g.cmd.Start() }

func (g *group) terminate() { _ = syscall.Kill(-g.pid, syscall.SIGTERM) }

func (g *group) kill() { killGroup(g.pid) }

func (g *group) alive() bool {
	select {
	case <-g.done: // reaped: what answers now are its children
	default:
		return true
	}
	return syscall.Kill(-g.pid, 0) == nil
}

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
