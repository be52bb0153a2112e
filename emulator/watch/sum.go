package watch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
)

// stale says that something in the folder changed.
func (f *folder) stale() {
	for ; f != nil; f = f.up {
		f.sum = nil
	}
}

// sum identifies the content of the tree: only folders in which something changed
// are computed again.
func (t *tree) sum() string {
	hash := sha256.New()
	hash.Write(t.top.digest())
	if t.beside != nil {
		hash.Write(t.beside.digest())
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// digest is empty for a folder without a file in it or below.
func (f *folder) digest() []byte {
	if f.sum == nil {
		sum := f.compute()
		f.sum = &sum
	}
	if *f.sum == ([sha256.Size]byte{}) {
		return nil
	}
	return f.sum[:]
}

func (f *folder) compute() (sum [sha256.Size]byte) {
	h, any := sha256.New(), false
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		is := f.files[name]
		record(h, name, uint32(is.stat.Mode), is.sum[:])
		any = true
	}
	for _, name := range slices.Sorted(maps.Keys(f.folders)) {
		if below := f.folders[name].digest(); below != nil {
			record(h, name+"/", 0, below)
			any = true
		}
	}
	if any {
		h.Sum(sum[:0])
	}
	return sum
}

// record is unambiguous: the name has its length in front, the rest is of fixed size.
func record(h hash.Hash, name string, mode uint32, sum []byte) {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(name)))
	head = append(head, name...)
	head = binary.BigEndian.AppendUint32(head, mode)
	h.Write(append(head, sum...))
}
