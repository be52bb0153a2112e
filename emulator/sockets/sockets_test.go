package sockets_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/sockets"
)

const (
	heads = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	tcp   = heads +
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0 100 0 0 10 0\n" +
		"   1: 020011AC:1F90 010011AC:C350 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0 20 4 30 10 -1\n"
	tcp6 = heads +
		"   0: 00000000000000000000000000000000:2328 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 103 1 0 100 0 0 10 0\n" +
		"   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 104 1 0 100 0 0 10 0\n"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOnlyWhatListensIsTold(t *testing.T) {
	got, err := sockets.In(folder(t, map[string]string{"tcp": tcp, "tcp6": tcp6}))
	want := []sockets.Socket{
		{Address: netip.MustParseAddrPort("127.0.0.1:8080"), Inode: "101"},
		{Address: netip.MustParseAddrPort("[::]:9000"), Inode: "103"},
		{Address: netip.MustParseAddrPort("[::1]:80"), Inode: "104"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAKernelWithoutIPv6IsNoError(t *testing.T) {
	if got, err := sockets.In(folder(t, map[string]string{"tcp": tcp})); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestWhatIsNoTableIsAnError(t *testing.T) {
	for name, line := range map[string]string{
		"port":    "0: 0100007F:XXXX 0:0 0A 0 0 0 0 0 1 1",
		"address": "0: ZZ:1F90 0:0 0A 0 0 0 0 0 1 1",
		"length":  "0: 01000000000000007F000000:1F90 0:0 0A 0 0 0 0 0 1 1",
		"nothing": "",
	} {
		files := map[string]string{"tcp": heads + line + "\n"}
		if name == "nothing" {
			files = nil
		}
		if got, err := sockets.In(folder(t, files)); err == nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestThisProcessListens(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: only Linux has /proc/net/tcp")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	own := netip.MustParseAddrPort(listener.Addr().String())
	got, err := sockets.In("/proc/self/net")
	if err != nil || !slices.ContainsFunc(got, func(s sockets.Socket) bool { return s.Address == own }) {
		t.Errorf("%s is not in %v, %v", own, got, err)
	}
}
