package watch

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"time"
)

// stat is what tells without reading that a file may have changed.
type stat struct {
	Size     int64
	Modified int64 // ns since 1970
	Changed  int64 // ctime, which no program can set; 0 where there is none
	ID       fileID
	Mode     fs.FileMode
}

// fileID tells two files apart as long as both exist; zero where the system has no
// such number at hand.
type fileID struct{ Device, Inode uint64 }

func statOf(info fs.FileInfo) stat {
	s := stat{Size: info.Size(), Modified: info.ModTime().UnixNano(), Mode: imageMode(info.Mode())}
	s.ID, s.Changed = identify(info)
	if info.IsDir() {
		s.Size = 0
	}
	return s
}

// sum stands in for that of a content that is not read.
func (s stat) sum() [sha256.Size]byte { return sha256.Sum256(fmt.Appendf(nil, "%+v", s)) }

// slack is the coarsest step of a file system's clock, that of FAT.
const slack = 2 * time.Second

// racy says whether a file could change after now without its stat telling: a second
// write within one step of the file system's clock leaves the same times.
func (s stat) racy(now time.Time) bool {
	return max(s.Modified, s.Changed) > now.Add(-slack).UnixNano()
}
