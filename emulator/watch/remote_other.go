//go:build !linux

package watch

import "runtime"

// whyPoll: see the package's documentation.
func whyPoll(string) string {
	if runtime.GOOS == "windows" {
		return "a folder that is watched on Windows keeps its parents from being renamed"
	}
	return "notifications on " + runtime.GOOS + " want an open file for every file"
}
