package capture

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// memory asks the system for memory that the garbage collector does not count: else it
// would let garbage grow as large as all that is kept before it looks. The system gives
// pages as they are first written.
func memory(size int) ([]byte, error) {
	at, err := windows.VirtualAlloc(0, uintptr(size), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), size), nil
}

func giveBack(slab []byte) error {
	return windows.VirtualFree(uintptr(unsafe.Pointer(unsafe.SliceData(slab))), 0, windows.MEM_RELEASE)
}
