//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
)

func TestCtrlCInAnEditorDoesNotEndTheSession(t *testing.T) {
	signals := make(chan os.Signal, 2)
	ctx, _, stop := interruptibleBy(t.Context(), signals)
	defer stop()
	seen := make(chan os.Signal, 2)
	signal.Notify(seen, os.Interrupt)
	defer signal.Stop(seen)
	interrupt := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		<-seen
	}
	back := lend(signals)
	interrupt()
	back()
	select {
	case <-ctx.Done():
		t.Fatal("the session ends")
	default:
	}
	interrupt()
	<-ctx.Done() // it is heard again
}
