package docker

import (
	"errors"
	"io/fs"
	"os"
	"strings"
)

// NoEngineError says that no Docker Engine answers, where one was looked for, and
// what to do.
type NoEngineError struct{ Tried []Attempt }

// Attempt is one place where an Engine was looked for.
type Attempt struct {
	Host    string // as unix:///var/run/docker.sock
	FoundBy string // why it was looked for there
	Err     error
}

func (e *NoEngineError) Error() string {
	var text strings.Builder
	text.WriteString("no Docker Engine answers:")
	for _, a := range e.Tried {
		text.WriteString("\n  " + a.Host + " (" + a.FoundBy + "): " + reason(a.Err))
	}
	text.WriteString("\n" + e.advice())
	return text.String()
}

// Unwrap gives what was answered at each place.
func (e *NoEngineError) Unwrap() []error {
	errs := make([]error, len(e.Tried))
	for i, a := range e.Tried {
		errs[i] = a.Err
	}
	return errs
}

func (e *NoEngineError) advice() string {
	if errors.Is(e, fs.ErrPermission) {
		return "join the group that owns the socket (usually: sudo usermod -aG docker $USER, then log in again)"
	}
	return "start Docker, set DOCKER_HOST to where it listens, or run the model without it: --runtime process"
}

// reason is the cause without the client's own advice around it, which would be
// given once for every place.
func reason(err error) string {
	var socket *os.SyscallError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such socket"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.As(err, &socket):
		return socket.Error()
	}
	return strings.TrimSuffix(err.Error(), ". Is the docker daemon running?")
}
