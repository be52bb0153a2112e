package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// Owner is who holds a session.
type Owner struct {
	PID int    `json:"pid"`
	Dir string `json:"dir"` // the repo
}

// InUse says that another `up` holds the session.
type InUse struct{ Owner Owner }

func (e *InUse) Error() string {
	return fmt.Sprintf("an `up` is already running here (process %d, in %s): use it, or end it with `merlin-local down`", e.Owner.PID, e.Owner.Dir)
}

// Lock is a session held by this process.
type Lock struct {
	// Killed is who held the session before and never let go of it; zero where
	// nobody did.
	Killed Owner

	session Session
	file    *flock.Flock
}

// Acquire takes the session, or returns *InUse. A lock ends with its process,
// however that ends. An owner without a process sweeps; one with a process waits for
// those who only look or sweep.
func (s Session) Acquire(owner Owner) (*Lock, error) {
	lock, err := s.try()
	if lock == nil && err == nil && owner.PID != 0 {
		lock, err = s.outwait()
	}
	if err != nil {
		return nil, err
	}
	if lock == nil {
		return nil, &InUse{s.Owner()}
	}
	lock.Killed = s.Owner()
	data, err := json.Marshal(owner)
	if err == nil {
		err = os.WriteFile(s.owner(), data, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock, nil
}

const (
	// glance is beyond what a look at a session takes, and the writing of its owner.
	glance = 200 * time.Millisecond
	// sweeping is beyond what the removal of a session's containers takes.
	sweeping = time.Minute
)

// outwait takes the session from one who lets go of it soon; it returns nil where an
// `up` holds it.
func (s Session) outwait() (*Lock, error) {
	for _, limit := range []time.Duration{glance, sweeping} {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		lock, err := s.Wait(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			return lock, err
		}
		if s.Owner().PID != 0 {
			break
		}
	}
	return nil, nil
}

// Wait takes the session once its holder has let go of it.
func (s Session) Wait(ctx context.Context) (*Lock, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if lock, err := s.try(); lock != nil || err != nil {
			return lock, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Alive tells whether somebody holds the session. It leaves nothing behind.
func (s Session) Alive() bool {
	look := flock.New(s.lock(), flock.SetFlag(os.O_RDONLY)) // makes no file
	free, err := look.TryRLock()
	if free {
		_ = look.Unlock()
	}
	// Where it cannot be told, it is better left alone.
	return !free && !errors.Is(err, fs.ErrNotExist)
}

// Owner says who holds the session, as far as that is known.
func (s Session) Owner() Owner {
	var owner Owner
	if data, err := os.ReadFile(s.owner()); err == nil {
		_ = json.Unmarshal(data, &owner)
	}
	return owner
}

// try returns nil where another process holds the session.
func (s Session) try() (*Lock, error) {
	for {
		if err := os.MkdirAll(s.Dir, 0o700); err != nil {
			return nil, err
		}
		file := flock.New(s.lock(), flock.SetPermissions(0o600))
		held, err := file.TryLock()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // the last holder removed the folder just now
		case err != nil:
			return nil, fmt.Errorf("lock %s: %w", s.lock(), err)
		case !held:
			return nil, nil
		case s.current(file):
			return &Lock{session: s, file: file}, nil
		}
		_ = file.Unlock() // it belongs to a file that was removed just now
	}
}

// current tells whether the locked file is the one that others would lock.
func (s Session) current(file *flock.Flock) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(s.lock())
	return err == nil && os.SameFile(mine, theirs)
}

// Release removes the session's folder and lets go of it.
func (l *Lock) Release() error {
	err := removeAllBut(l.session.Dir, l.session.lock())
	// Without this file the session is the next one's, and what is there is, too.
	// Windows cannot remove a file that is open: there it stays.
	if os.Remove(l.session.lock()) == nil {
		_ = os.Remove(l.session.Dir)
	}
	return errors.Join(err, l.file.Unlock())
}

func removeAllBut(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if path := dir + string(os.PathSeparator) + e.Name(); path != keep {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	return err
}
