package process

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// entry is a group in the record. Started tells a process from a later one that got
// the same id.
type entry struct {
	PID     int    `json:"pid"`
	Started string `json:"started"`
}

func (e entry) alive() bool { return e.Started != "" && startedAt(e.PID) == e.Started }

// record is the file that names a session's groups. It is rewritten whole: it holds
// a handful of lines, and its session is the only one that writes it.
type record struct {
	mu   sync.Mutex
	path string
}

// entries reads the record. One that a killed session left half written says
// nothing that can be trusted, and counts as empty.
func (r *record) entries() ([]entry, error) {
	data, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var entries []entry
	if json.Unmarshal(data, &entries) != nil {
		return nil, nil
	}
	return entries, nil
}

func (r *record) add(pid int) error {
	return r.rewrite(func(entries []entry) []entry {
		return append(entries, entry{PID: pid, Started: startedAt(pid)})
	})
}

func (r *record) drop(pid int) error {
	return r.rewrite(func(entries []entry) []entry {
		return slices.DeleteFunc(entries, func(e entry) bool { return e.PID == pid })
	})
}

func (r *record) clear() error {
	return r.rewrite(func([]entry) []entry { return nil })
}

func (r *record) rewrite(change func([]entry) []entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries, err := r.entries()
	if err != nil {
		return err
	}
	entries = change(entries)
	if len(entries) == 0 {
		if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	return os.WriteFile(r.path, data, 0o600)
}
