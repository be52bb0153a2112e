//go:build unix

package watch

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// imageBits are what of a mode ends up in an image.
const imageBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

func imageMode(mode fs.FileMode) fs.FileMode { return mode & (fs.ModeType | imageBits) }

// open neither waits nor follows: a pipe or a link could have taken the file's place.
func open(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, syscall.ELOOP) {
		err = errNoFile
	}
	return f, err
}
