package watch

import (
	"fmt"
	"syscall"
)

// remote are file systems that others change too, without the kernel being told; the
// numbers are those of statfs(2).
func remote(kind int64) string {
	switch uint32(kind) {
	case 0x6969:
		return "NFS"
	case 0x517b, 0xff534d42, 0xfe534d42:
		return "SMB"
	case 0x65735546:
		return "FUSE"
	case 0x01021997:
		return "9p"
	case 0x00c36400:
		return "Ceph"
	case 0x5346414f, 0x6b414653:
		return "AFS"
	case 0x786f4256:
		return "VirtualBox's shared folders"
	case 0xbacbacbc:
		return "VMware's shared folders"
	}
	return ""
}

// whyPoll says why notifications of a folder would not be complete; empty where they are.
func whyPoll(folder string) string {
	var is syscall.Statfs_t
	if err := syscall.Statfs(folder, &is); err != nil {
		return ""
	}
	if name := remote(int64(is.Type)); name != "" {
		return fmt.Sprintf("%s is on %s, where changes from elsewhere are not notified", folder, name)
	}
	return ""
}
