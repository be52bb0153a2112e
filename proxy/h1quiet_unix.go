//go:build unix

package proxy

import (
	"net"
	"syscall"
)

// h1Quiet tells whether an idle connection is still open and nothing came on it.
type h1Quiet struct {
	raw  syscall.RawConn
	peek func(fd uintptr) // made once: it is asked for every request
	open *bool
}

func newH1Quiet(conn net.Conn) h1Quiet {
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return h1Quiet{}
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return h1Quiet{}
	}
	open := new(bool)
	return h1Quiet{raw: raw, open: open, peek: func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		*open = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	}}
}

func (q h1Quiet) holds() bool {
	if q.raw == nil {
		return true
	}
	return q.raw.Control(q.peek) == nil && *q.open
}
