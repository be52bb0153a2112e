// Package control is how commands reach a running `up`: a folder for each session,
// a file lock that says whether the session is alive, and a Unix socket that only
// the user can open.
package control

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
)

// Home is the folder that holds all sessions of this user on this machine.
type Home string

// FindHome returns the home in use: $MERLIN_LOCAL_HOME, else a folder in the user's
// cache, else, without a home folder, one in the system's temporary folder.
func FindHome() Home {
	if home := os.Getenv("MERLIN_LOCAL_HOME"); home != "" {
		return Home(home)
	}
	if cache, err := os.UserCacheDir(); err == nil {
		return Home(filepath.Join(cache, "merlin-local"))
	}
	return Home(filepath.Join(os.TempDir(), "merlin-local-"+strconv.Itoa(os.Getuid())))
}

// Sums is the folder that remembers what watched files are, over all sessions.
func (h Home) Sums() string { return filepath.Join(string(h), "sums") }

// Builds is the folder that remembers what builds left in an Engine's cache, over all
// sessions.
func (h Home) Builds() string { return filepath.Join(string(h), "builds") }

// Owner tells this home's containers from those of other users and machines that
// share an Engine.
func (h Home) Owner() string {
	host, _ := os.Hostname()
	return digest(host + "\x00" + string(h))
}

// Session returns the session of the repo in dir, whether or not it runs. There is
// one a repo, so its id is the same every time.
func (h Home) Session(dir string) Session {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return h.named(h.Owner() + "-" + digest(dir))
}

// Beside returns a session of this process's own beside that of the repo in dir. What it
// leaves when it is killed is swept as any other's.
func (h Home) Beside(dir string) Session {
	return h.named(h.Owner() + "-" + digest(dir+"\x00"+strconv.Itoa(os.Getpid())))
}

func (h Home) named(id string) Session {
	return Session{ID: id, Dir: filepath.Join(string(h), "s", id)}
}

// Sessions returns all sessions that were ever held and left a folder, alive or not.
func (h Home) Sessions() ([]Session, error) {
	entries, err := os.ReadDir(filepath.Join(string(h), "s"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	var sessions []Session
	for _, e := range entries {
		s := h.named(e.Name())
		if _, err := os.Stat(s.lock()); err == nil {
			sessions = append(sessions, s)
		}
	}
	return sessions, err
}

// Named returns the session with the given id, and whether it is one of this home's.
func (h Home) Named(id string) (Session, bool) {
	owner := h.Owner() + "-"
	return h.named(id), len(id) > len(owner) && id[:len(owner)] == owner
}

// digest is short, so that the path of a socket fits its 104 bytes.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// Session is where one session keeps its files.
type Session struct {
	ID  string
	Dir string
}

// Artifacts is the folder that artifacts are staged in.
func (s Session) Artifacts() string { return filepath.Join(s.Dir, "artifacts") }

// Bodies is the folder of captured bodies that are too large for memory.
func (s Session) Bodies() string { return filepath.Join(s.Dir, "bodies") }

// Processes is the file that names the running host processes.
func (s Session) Processes() string { return filepath.Join(s.Dir, "processes.json") }

// Log is the file that a detached `up` writes its own output to.
func (s Session) Log() string { return filepath.Join(s.Dir, "up.log") }

func (s Session) lock() string { return filepath.Join(s.Dir, "lock") }

func (s Session) socket() string { return filepath.Join(s.Dir, "sock") }

func (s Session) owner() string { return filepath.Join(s.Dir, "owner.json") }
