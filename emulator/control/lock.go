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
	session Session
	file    *flock.Flock
}

// Acquire takes the session, or returns *InUse. A lock ends with its process,
// however that ends.
func (s Session) Acquire(owner Owner) (*Lock, error) {
	lock, err := s.try()
	if err != nil {
		return nil, err
	}
	if lock == nil {
		return nil, &InUse{s.Owner()}
	}
	data, err := json.Marshal(owner)
	if err == nil {
		err = os.WriteFile(s.owner(), data, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock, nil
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

// Alive tells whether an `up` holds the session. It leaves nothing behind.
func (s Session) Alive() bool {
	if _, err := os.Stat(s.lock()); err != nil {
		return false
	}
	lock, err := s.try()
	if err != nil {
		return true // it cannot be told: better to leave it alone
	}
	if lock == nil {
		return true
	}
	_ = lock.file.Unlock()
	return false
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
			return &Lock{s, file}, nil
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
	// Windows cannot remove a file that is open: there the lock file stays.
	err := os.RemoveAll(l.session.Dir)
	if _, gone := os.Stat(l.session.Dir); gone == nil {
		err = removeAllBut(l.session.Dir, l.session.lock())
	}
	return errors.Join(err, l.file.Unlock())
}

func removeAllBut(dir, keep string) error {
	entries, err := os.ReadDir(dir)
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
