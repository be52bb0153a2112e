package capture

import "golang.org/x/sys/unix"

// preferLargePages asks for pages of 2 MiB: the first writing of a small one costs more
// than what is written there. Without them it is only slower.
func preferLargePages(slab []byte) { _ = unix.Madvise(slab, unix.MADV_HUGEPAGE) }
