package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// replayTarget is where requests go, and what they are made into for that.
type replayTarget struct {
	base  *url.URL
	aimer *replay.Aimer
	aim   func(x event.Exchange) (event.Exchange, error)
}

// target is the URL that was given, or the running session.
func (r *replayCommand) target(ctx context.Context) (*replayTarget, error) {
	if r.to != "" {
		return r.targetURL()
	}
	s, err := r.session()
	if err != nil {
		return nil, err
	}
	state, err := s.State(ctx)
	if err != nil {
		return nil, notRunning(err)
	}
	aimer := aimerAt(state)
	if r.model != "" {
		m := state.Model(r.model)
		if m == nil {
			return nil, unknownModel(r.model, state)
		}
		only := replayed(m)
		aimer.Only = &only
	}
	if state.Address == "" {
		return nil, fmt.Errorf("the session has no address yet: try again when it is up")
	}
	return &replayTarget{&url.URL{Scheme: "http", Host: state.Address}, aimer, aimer.Aim}, nil
}

func replayed(m *session.Model) replay.Model {
	return replay.Model{ID: m.ID, Name: m.Name, Version: m.Version, FullName: m.FullName, Project: m.Project, Host: m.URLs.Host}
}

// targetURL is that of --to: a server of which only that is known.
func (r *replayCommand) targetURL() (*replayTarget, error) {
	base, err := url.Parse(r.to)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		return nil, usageError{fmt.Errorf("--to %s: it is http://HOST[:PORT][/PATH] or https://…, without user, query and fragment", r.to)}
	}
	t := &replayTarget{base: base, aimer: &replay.Aimer{KeepHost: r.keepHost}}
	if r.model != "" {
		t.aimer.Only = &replay.Model{ID: r.model, FullName: r.model, Host: base.Host}
		t.aim = t.aimer.Aim
		return t, nil
	}
	t.aim = func(x event.Exchange) (event.Exchange, error) {
		if !r.keepHost {
			x.Host = base.Host
		}
		return x, nil
	}
	return t, nil
}
