//go:build !windows

package docker_test

import (
	"crypto/ed25519"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh/agent"
)

func TestABuildReachesTheSSHAgent(t *testing.T) {
	l := newLab(t)
	m := buildable(t, "FROM scratch", "COPY model /model", `RUN --mount=type=ssh ["/model", "check-agent"]`)
	m.Build.SSH = []string{"default=" + sshAgent(t)}
	_, _, err := l.build(t, m)
	check(t, err)
}

// sshAgent is the socket of an agent with one key.
func sshAgent(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	check(t, err)
	keys := agent.NewKeyring()
	check(t, keys.Add(agent.AddedKey{PrivateKey: key}))
	socket := filepath.Join(shortDir(t), "s")
	listener, err := net.Listen("unix", socket)
	check(t, err)
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { defer conn.Close(); _ = agent.ServeAgent(keys, conn) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); open.Wait() })
	return socket
}
