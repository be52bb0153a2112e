package probe

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
)

func TestAConnectionReadsNothingBeforeItHasAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		q := &quiet{Conn: near, wrote: make(chan struct{})}
		read := make(chan string, 1)
		go func() {
			answer := make([]byte, 5)
			n, _ := io.ReadFull(q, answer)
			read <- string(answer[:n])
		}()
		go func() { _, _ = io.WriteString(far, "early") }()
		synctest.Wait()
		if len(read) > 0 {
			t.Errorf("it read %q", <-read)
		}
		go func() { _, _ = far.Read(make([]byte, 3)) }()
		if _, err := q.Write([]byte("ask")); err != nil {
			t.Error(err)
		}
		if got := <-read; got != "early" {
			t.Errorf("it read %q", got)
		}
		_ = far.Close()
		_ = q.Close()
	})
}

func TestACloseEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		q := &quiet{Conn: near, wrote: make(chan struct{})}
		done := make(chan error, 1)
		go func() {
			_, err := q.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		_ = q.Close()
		if err := <-done; err == nil {
			t.Error("it read something")
		}
	})
}
