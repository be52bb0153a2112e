package docker

// knownSockets are where Docker Desktop and the Docker service listen.
func knownSockets(func(string) string, string) []endpoint {
	return []endpoint{
		{host: "npipe:////./pipe/docker_engine", foundBy: "default"},
		{host: "npipe:////./pipe/dockerDesktopLinuxEngine", foundBy: "Docker Desktop"},
	}
}
