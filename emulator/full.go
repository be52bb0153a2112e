package emulator

import (
	"errors"
	"strings"
	"syscall"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// isFull tells that a disk had no space left. The Engine's errors are words only.
func isFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) {
		return true
	}
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "no space left on device") || strings.Contains(text, "not enough space on the disk")
}

// full is a failure for a full disk where err is of one, and else nil. Docker's disk is
// the virtual machine's on macOS and Windows.
func (s *supervisor) full(what string, err error) *Failure {
	if !isFull(err) {
		return nil
	}
	return &Failure{
		Model: s.id, What: what + ": the disk of the Docker Engine is full", Why: err.Error(),
		Next: "docker system df shows what takes it, docker system prune frees what nothing uses; then up again",
		Card: event.Failed{Cause: event.CauseDiskFull, Certainty: event.Certain},
	}
}

// fullHere is the same for a disk of this host.
func (s *supervisor) fullHere(what string, err error) *Failure {
	if !isFull(err) {
		return nil
	}
	return &Failure{
		Model: s.id, What: what + ": the disk of this machine is full", Why: err.Error(),
		Next: "free space on the disk of that folder (MERLIN_LOCAL_HOME moves what merlin-local keeps to another), then up again",
		Card: event.Failed{Cause: event.CauseDiskFull, Certainty: event.Certain},
	}
}
