//go:build unix

package capture

import "golang.org/x/sys/unix"

// memory asks the system for memory that the garbage collector does not count: else it
// would let garbage grow as large as all that is kept before it looks. The system gives
// pages as they are first written.
func memory(size int) ([]byte, error) {
	slab, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err == nil {
		preferLargePages(slab)
	}
	return slab, err
}

func giveBack(slab []byte) error { return unix.Munmap(slab) }
