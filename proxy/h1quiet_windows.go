package proxy

import (
	"net"
	"syscall"
	"unsafe"
)

// h1Quiet tells whether an idle connection is still open and nothing came on it.
type h1Quiet struct{ raw syscall.RawConn }

func newH1Quiet(conn net.Conn) h1Quiet {
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return h1Quiet{}
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return h1Quiet{}
	}
	return h1Quiet{raw}
}

var h1Poll = syscall.NewLazyDLL("ws2_32.dll").NewProc("WSAPoll")

// h1PollFD is WSAPOLLFD, h1PollIn POLLRDNORM | POLLRDBAND.
type h1PollFD struct {
	fd      uintptr
	events  int16
	revents int16
}

const h1PollIn = 0x0300

// holds asks without waiting: what is readable ended, or said something unasked.
func (q h1Quiet) holds() bool {
	if q.raw == nil {
		return true
	}
	open := true
	err := q.raw.Control(func(fd uintptr) {
		ask := h1PollFD{fd: fd, events: h1PollIn}
		n, _, _ := h1Poll.Call(uintptr(unsafe.Pointer(&ask)), 1, 0)
		open = n == 0
	})
	return err == nil && open
}
