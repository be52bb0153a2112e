package main

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// endSignals end a session in order.
func endSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// detach lets a child outlive this console.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}

// survivePipe has nothing to do here: there is no SIGPIPE.
func survivePipe() {}

// mayChangeTerminal has nothing to do here: every process of a console may.
func mayChangeTerminal() {}
