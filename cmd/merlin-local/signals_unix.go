//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// endSignals end a session in order.
func endSignals() []os.Signal {
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
}

// survivePipe makes of a closed standard output a write error, which ends the
// session in order, where Go would die of SIGPIPE. To ignore the signal would do, too,
// but what is ignored stays so in the processes that are started.
func survivePipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// mayChangeTerminal lets a process in the background set the terminal's modes: once the
// one that had the terminal has gone, the shell has it, and asks with a signal.
func mayChangeTerminal() { signal.Ignore(syscall.SIGTTOU) }

// detach lets a child outlive this terminal.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
