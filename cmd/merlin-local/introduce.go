package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// introduce says what this session is, before anything happens.
func (s *upSession) introduce(ctx context.Context) {
	s.stream.Publish("", 0, event.Session{
		Format: event.Format, ID: s.session.ID, Version: version(), Dir: s.file.Dir, PID: os.Getpid(),
		Runtime: s.engine.name, Engine: s.engine.about,
	})
	for _, m := range s.models {
		d := m.Deployment
		s.stream.Publish(m.ID(), 0, event.Declared{
			Project: d.Project, Name: d.Model, Version: d.Version, Redeployment: d.Revision,
			FullName: d.FullName(), Protocol: string(d.Protocol), Image: d.Image,
			Host: d.VersionHost("localhost"),
		})
		s.stream.Publish(m.ID(), 0, m.Parity(s.circumstances()))
	}
	address := s.port.Addr().String()
	s.stream.Publish("", 0, event.Listening{Address: address, Metrics: s.metrics.Addr().String()})
	if !s.wishes.port.asked && s.port.Addr().(*net.TCPAddr).Port != defaultPort {
		s.warn(fmt.Sprintf("port %d is taken: listening on %s", defaultPort, address))
	}
	if s.engine.warning != "" {
		s.warn(s.engine.warning)
	}
	s.warnOfLimits()
	for model, why := range s.noPushes {
		s.warn(model + " has nowhere to push its metrics to, and its variable is as env_vars sets it: " + why)
	}
	if s.timeScale > 1 {
		s.warn(fmt.Sprintf("the autoscaler's windows and delays pass %g times faster than in production (--time-scale)", s.timeScale))
	}
	for _, dotenv := range s.file.Dotenvs() {
		if config.GitIgnores(ctx, dotenv) == config.GitNotIgnored {
			s.warn(dotenv + " holds secrets and git does not ignore it: add it to .gitignore")
		}
	}
}

func (s *upSession) warn(text string) {
	s.stream.Publish("", 0, event.Notice{Level: event.NoticeWarning, Text: text})
}

// libraryNotices tells what libraries log, so that it does not run through a view.
type libraryNotices struct{ stream *event.Stream }

func (n libraryNotices) Write(p []byte) (int, error) {
	n.stream.Publish("", 0, event.Notice{Level: event.NoticeInfo, Text: prose.Clean(strings.TrimSpace(string(p)))})
	return len(p), nil
}
