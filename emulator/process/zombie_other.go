//go:build unix && !linux

package process

// allZombies cannot tell here; the group's end is waited for.
func allZombies(int) bool { return false }

// allStopped cannot tell here; the signal has been sent.
func allStopped(int) bool { return true }
