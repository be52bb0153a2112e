package main

import (
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

func replayed(m *session.Model) replay.Model {
	return replay.Model{ID: m.ID, Name: m.Name, Version: m.Version, FullName: m.FullName, Project: m.Project, Host: m.URLs.Host}
}
