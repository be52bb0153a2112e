package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// open takes all that a session holds: its lock, its ports, its files. Where one of them
// cannot be had it lets go of the others. The caller calls close.
func (u *up) open(ctx context.Context, session control.Session, file *config.File, models []*emulator.Model) (*upSession, error) {
	s := &upSession{up: u, session: session, file: file, models: models, stream: event.NewStream()}
	s.current.Store(&models)
	for _, take := range []func(context.Context) error{
		s.openHome, s.openEngine, s.openPorts, s.openPushes, s.openAccessLog, s.openCapture, s.openSocket, s.openRecording,
	} {
		if err := take(ctx); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// close lets go of what open took, the last first.
func (s *upSession) close() (err error) {
	for _, release := range slices.Backward(s.held) {
		err = errors.Join(err, release())
	}
	s.held = nil
	return err
}

// hold has something closed at the end.
func (s *upSession) hold(release func() error) { s.held = append(s.held, release) }

// holdClosed is hold for what may have been closed by then.
func (s *upSession) holdClosed(c io.Closer) {
	s.hold(func() error { _ = c.Close(); return nil })
}

func (s *upSession) openHome(context.Context) error {
	lock, err := s.session.Acquire(control.Owner{PID: os.Getpid(), Dir: s.file.Dir})
	if err != nil {
		return err
	}
	s.hold(lock.Release)
	return os.RemoveAll(s.session.Artifacts()) // a killed session's
}

func (s *upSession) openEngine(ctx context.Context) (err error) {
	if s.engine, err = s.choose(ctx, s.session, s.models); err != nil {
		return err
	}
	s.hold(func() error { s.engine.close(); return nil })
	if s.passing {
		s.hold(func() error { return s.engine.removeBuilt(s.session.ID) })
	}
	if err := s.underDebugger(s.models); err != nil {
		return err
	}
	s.debuggers, err = listenForEditors(s.models)
	s.hold(func() error { closeAll(s.debuggers); return nil })
	return err
}

func (s *upSession) openPorts(context.Context) (err error) {
	if s.port, err = s.wishes.port.listen(); err != nil {
		return err
	}
	s.holdClosed(s.port)
	if s.metrics, err = s.wishes.metrics.listen(); err != nil {
		return err
	}
	s.holdClosed(s.metrics)
	return nil
}

func (s *upSession) openPushes(ctx context.Context) (err error) {
	s.pushes, s.noPushes, err = listenForPushes(ctx, s.engine, s.models)
	s.hold(func() error { closePushes(s.pushes); return nil })
	return err
}

func (s *upSession) openAccessLog(context.Context) error {
	file, closed, err := openAccessLog(s.up.accessLog, s.file.Dir)
	if err != nil {
		return err
	}
	s.accessLog = file
	s.hold(func() error { closed(); return nil })
	return nil
}

func (s *upSession) openCapture(context.Context) (err error) {
	if s.capture, err = openCapture(s.file.Capture, s.session, s.models); err == nil && s.capture != nil {
		s.hold(s.capture.Close)
	}
	return err
}

func (s *upSession) openSocket(context.Context) (err error) {
	if s.socket, err = s.session.Listen(); err != nil {
		return fmt.Errorf("open the session's socket: %w", err)
	}
	s.holdClosed(s.socket)
	return nil
}

// openRecording makes the file of --record, which the recorder closes.
func (s *upSession) openRecording(context.Context) (err error) {
	s.recording, err = openRecording(s.record, s.file.Dir)
	return err
}
