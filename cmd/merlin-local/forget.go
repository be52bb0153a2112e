package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/watch"
)

// sweepOthers removes what killed sessions of other repos left behind.
func (s *upSession) sweepOthers(ctx context.Context) error {
	swept, err := sweepDead(ctx, s.engine.docker)
	switch {
	case err != nil && ctx.Err() == nil:
		s.warn(fmt.Sprintf("what killed sessions left could not be removed: %v", err))
	case swept > 0:
		s.stream.Publish("", 0, event.Notice{Level: event.NoticeInfo, Text: fmt.Sprintf("removed what %d killed session(s) had left behind", swept)})
	}
	return nil
}

// remembered is how long what a session knows is kept for its next run.
const remembered = 30 * 24 * time.Hour

// forgetUnused removes what the sessions of repos that nobody works in any more know.
func (s *upSession) forgetUnused(now time.Time) error {
	home := control.FindHome()
	err := errors.Join(watch.Forget(home.Sums(), now.Add(-remembered)), docker.ForgetBuilds(home.Builds(), now.Add(-remembered)))
	if err != nil {
		s.warn("what old sessions knew could not be removed: " + err.Error())
	}
	return nil
}
