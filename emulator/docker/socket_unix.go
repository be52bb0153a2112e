//go:build !windows

package docker

import "path/filepath"

// knownSockets are where Docker, rootless Docker, Docker Desktop, Colima, OrbStack
// and Rancher Desktop listen where nobody set anything.
func knownSockets(getenv func(string) string, home string) []endpoint {
	sockets := []endpoint{{host: "/var/run/docker.sock", foundBy: "default"}}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		sockets = append(sockets, endpoint{host: filepath.Join(dir, "docker.sock"), foundBy: "rootless Docker"})
	}
	for _, s := range []endpoint{
		{host: ".docker/run/docker.sock", foundBy: "Docker Desktop"},
		{host: ".docker/desktop/docker.sock", foundBy: "Docker Desktop for Linux"},
		{host: ".colima/default/docker.sock", foundBy: "Colima"},
		{host: ".orbstack/run/docker.sock", foundBy: "OrbStack"},
		{host: ".rd/docker.sock", foundBy: "Rancher Desktop"},
	} {
		s.host = filepath.Join(home, s.host)
		sockets = append(sockets, s)
	}
	for i := range sockets {
		sockets[i].host = "unix://" + sockets[i].host
	}
	return sockets
}
