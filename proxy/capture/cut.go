package capture

import "fmt"

// cut is why not all of a body is kept.
type cut uint8

const (
	whole cut = iota
	cutMemory
	cutNoDisk
	cutLarge
	cutSlow
	cutCoded
	cutLargeJSON
	cutNotJSON
)

// rest tells whether something is missing.
func (c cut) rest() bool { return c != whole }

func (c cut) String() string {
	switch c {
	case cutMemory:
		return "the memory of captures was full of requests that still ran"
	case cutNoDisk:
		return "there is no folder for what is too large for memory"
	case cutLarge:
		return "that is as much of one body as the disk's share allows"
	case cutSlow:
		return "the disk did not keep up"
	case cutCoded:
		return "it is compressed, and rules that hide parts of bodies cannot look into it"
	case cutLargeJSON:
		return "JSON of this size is not looked through for the paths that are hidden"
	case cutNotJSON:
		return "what follows is no JSON, in which the paths that are hidden cannot be told"
	}
	return ""
}

// hiddenParts says so where nothing is missing, and rules hide some of it.
const hiddenParts = "the rules of the capture hide parts of it"

// sentence tells what of a body is kept, and why not all.
func sentence(kept, size int64, why string) string {
	if kept == 0 {
		return fmt.Sprintf("none of its %d bytes are kept: %s", size, why)
	}
	return fmt.Sprintf("only the first %d of %d bytes are kept: %s", kept, size, why)
}
