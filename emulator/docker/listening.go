package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/sockets"
)

// Listening reads the container's listening sockets where the Engine runs on this very
// Linux host, from the kernel. Elsewhere it is errors.ErrUnsupported: looking from the
// inside takes a program that the image need not have.
func (c *replica) Listening(context.Context) ([]netip.AddrPort, error) {
	if runtime.GOOS != "linux" || !c.engine.sharesFiles() || c.pid == 0 {
		return nil, errors.ErrUnsupported
	}
	process := "/proc/" + strconv.Itoa(c.pid)
	groups, err := os.ReadFile(process + "/cgroup")
	if err != nil || !strings.Contains(string(groups), c.id) {
		return nil, fmt.Errorf("%w: process %d of this host is not the container's", errors.ErrUnsupported, c.pid)
	}
	found, err := sockets.In(process + "/net")
	if err != nil {
		return nil, err
	}
	var all []netip.AddrPort
	for _, s := range found {
		if s.Address.Addr() != engineResolver() {
			all = append(all, s.Address)
		}
	}
	return all, nil
}

// engineResolver is where the Engine itself listens inside of containers of a network
// that a user made: its name server.
func engineResolver() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 11}) }
