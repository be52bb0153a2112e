//go:build unix && !linux

package capture

// preferLargePages is what only Linux is asked for.
func preferLargePages([]byte) {}
