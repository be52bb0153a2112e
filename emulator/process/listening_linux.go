package process

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/sockets"
)

// Listening are the sockets that processes of the group listen at.
func (c *container) Listening(context.Context) ([]netip.AddrPort, error) {
	found, err := sockets.In("/proc/self/net")
	if err != nil {
		return nil, err
	}
	own := socketsOf(c.group.pid)
	var all []netip.AddrPort
	for _, s := range found {
		if own["socket:["+s.Inode+"]"] {
			all = append(all, s.Address)
		}
	}
	return all, nil
}

// socketsOf are the open sockets of a group's processes, as /proc names them.
func socketsOf(group int) map[string]bool {
	own := map[string]bool{}
	for _, pid := range ofGroup(group) {
		open, _ := filepath.Glob("/proc/" + pid + "/fd/*")
		for _, fd := range open {
			if name, err := os.Readlink(fd); err == nil && strings.HasPrefix(name, "socket:") {
				own[name] = true
			}
		}
	}
	return own
}
