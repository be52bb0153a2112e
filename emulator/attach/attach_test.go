package attach_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/attach"
)

// debugger greets whoever connects with its name, and echoes.
func debugger(t *testing.T, name string) netip.AddrPort {
	t.Helper()
	ln := listen(t)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.WriteString(conn, name+"\n")
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// serve runs a port; stop ends it and waits.
func serve(t *testing.T) (p *attach.Port, attached chan bool, stop func()) {
	t.Helper()
	attached = make(chan bool, 16)
	p = attach.New(listen(t), func(on bool) { attached <- on })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx) }()
	stopped := false
	stop = func() {
		if cancel(); !stopped {
			stopped = true
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return p, attached, stop
}

// editor connects and reads who greets; empty where nobody does.
func editor(t *testing.T, p *attach.Port) (net.Conn, string) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return conn, line
}

func TestAnEditorReachesTheDebuggerThatWasOfferedLast(t *testing.T) {
	p, attached, stop := serve(t)
	if _, name := editor(t, p); name != "" {
		t.Errorf("nothing is offered, and %q answers", name)
	}
	p.Offer(debugger(t, "old"))
	withdraw := p.Offer(debugger(t, "new"))
	first, name := editor(t, p)
	if name != "new\n" || !<-attached {
		t.Errorf("%q answers", name)
	}
	withdraw()
	second, name := editor(t, p)
	if name != "old\n" {
		t.Errorf("%q answers after the new one is gone", name)
	}
	_ = first.Close()
	if len(attached) > 0 {
		t.Error("told while one is still connected, or twice")
	}
	_ = second.Close()
	if <-attached {
		t.Error("not told that the last has left")
	}
	stop()
}

func TestAStopCutsWhoIsAttachedAndTellsIt(t *testing.T) {
	p, attached, stop := serve(t)
	p.Offer(debugger(t, "it"))
	conn, _ := editor(t, p)
	if !<-attached {
		t.Error("not attached")
	}
	stop()
	if <-attached {
		t.Error("still attached")
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes came after the stop", n)
	}
	if _, err := net.Dial("tcp", p.Address().String()); err == nil {
		t.Error("it still listens")
	}
}

func TestADebuggerThatDoesNotListenIsNobodyAttached(t *testing.T) {
	p, attached, stop := serve(t)
	ln := listen(t)
	p.Offer(ln.Addr().(*net.TCPAddr).AddrPort())
	_ = ln.Close()
	if _, name := editor(t, p); name != "" {
		t.Errorf("%q answers", name)
	}
	stop()
	if len(attached) > 0 {
		t.Error("attached")
	}
}
