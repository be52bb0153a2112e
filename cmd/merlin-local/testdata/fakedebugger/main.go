// Command fakedebugger is a debugger as small as one can be, for the tests: it runs a
// program, listens, and halts and continues it as whoever is connected says.
//
//	fakedebugger ADDRESS PROGRAM [ARGUMENT...]
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "fakedebugger:", err)
		os.Exit(1)
	}
}

func run(address string, command []string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	program := exec.Command(command[0], command[1:]...)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	if err := program.Start(); err != nil {
		return err
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() {
		for s := range ended {
			_ = program.Process.Signal(syscall.SIGCONT)
			_ = program.Process.Signal(s)
		}
	}()
	go func() {
		for {
			editor, err := listener.Accept()
			if err != nil {
				return
			}
			attend(editor, program.Process)
		}
	}()
	return program.Wait()
}

// attend does what one editor says, and lets the program go on once it is gone.
func attend(editor net.Conn, program *os.Process) {
	defer editor.Close()
	for lines := bufio.NewScanner(editor); lines.Scan(); {
		switch lines.Text() {
		case "halt":
			_ = program.Signal(syscall.SIGSTOP)
		case "continue":
			_ = program.Signal(syscall.SIGCONT)
		}
		fmt.Fprintln(editor, "done:", lines.Text())
	}
	_ = program.Signal(syscall.SIGCONT)
}
