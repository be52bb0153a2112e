// Package sockets reads which TCP sockets listen in a Linux network namespace, as the
// kernel tells it under /proc. Elsewhere there are no such files, which is an error.
package sockets

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Socket is one that listens.
type Socket struct {
	Address netip.AddrPort
	Inode   string // /proc/PID/fd has it as socket:[INODE]
}

// listening is the state TCP_LISTEN in /proc/net/tcp.
const listening = "0A"

// In reads a namespace's folder, such as /proc/PID/net.
func In(folder string) ([]Socket, error) {
	all, err := read(filepath.Join(folder, "tcp"))
	if err != nil {
		return nil, err
	}
	six, err := read(filepath.Join(folder, "tcp6"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without IPv6
		return nil, err
	}
	return append(all, six...), nil
}

func read(path string) ([]Socket, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parse(file)
}

// parse reads the table: a line of heads, then one socket a line, its fields as
// proc(5) counts them: number, local address, remote address, state, …, inode.
func parse(r io.Reader) ([]Socket, error) {
	const local, state, inode = 1, 3, 9
	var all []Socket
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) <= inode || fields[state] != listening {
			continue
		}
		address, err := parseAddress(fields[local])
		if err != nil {
			return nil, err
		}
		all = append(all, Socket{address, fields[inode]})
	}
	return all, lines.Err()
}

// parseAddress reads ADDRESS:PORT in hexadecimal. The address is in words of four
// bytes, each in the order of the host, which is little-endian wherever this runs.
func parseAddress(text string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(text, ":")
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("socket address %q: %w", text, err)
	}
	raw, err := hex.DecodeString(host)
	if err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("socket address %q is not one", text)
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	address, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("socket address %q is not one", text)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(number)), nil
}
