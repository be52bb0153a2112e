//go:build unix

package process_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
)

// listenForever makes the test's program listen somewhere, say where, and wait.
const listenForever = "MERLIN_LOCAL_TEST_LISTEN"

func listen() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr())
	_, _ = listener.Accept()
}

func TestTheSocketsOfAProcessAreItsOwn(t *testing.T) {
	others, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer others.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, _ := runtime(t)
	c := start(t, r, self+" & wait", listenForever+"=1") // a child, which is of the group
	read, write := io.Pipe()
	copying := make(chan error, 1)
	go func() { copying <- c.Logs(t.Context(), write, io.Discard) }()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Listening(t.Context())
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("SKIPPED: sockets of a process are not known on this system")
	}
	if want := netip.MustParseAddrPort(line[:len(line)-1]); err != nil || !slices.Equal(got, []netip.AddrPort{want}) {
		t.Errorf("it listens at %v, %v, want %s", got, err, want)
	}
	if err := c.Stop(t.Context(), grace); err != nil {
		t.Error(err)
	}
	<-copying
}
