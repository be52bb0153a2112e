package watch

import (
	"io/fs"
	"syscall"
)

func identify(info fs.FileInfo) (fileID, int64) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, 0
	}
	return fileID{uint64(s.Dev), s.Ino}, s.Ctimespec.Nano()
}
