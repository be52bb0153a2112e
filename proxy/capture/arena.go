package capture

import "encoding/binary"

// blockSize holds one side of a usual exchange: some headers, and a body of about a KiB.
const blockSize = 2 << 10

// A block begins with the number of the one that follows it; 0 is none. It stands there
// and not in a table since whoever takes a block writes to it anyway.
const (
	linkSize  = 4
	blockRoom = blockSize - linkSize
)

// slabSize is how much memory is asked of the system at a time.
const slabSize = 4 << 20

// arena is memory in blocks that are numbered from 1. Handing out blocks and taking them
// back is guarded by Store.mu; what is in a block, and which one follows it, is of its
// owner alone.
type arena struct {
	source
	slabs [][]byte // as many as there may be; nil where not asked for yet
	made  int      // blocks that the slabs have
	most  int
	free  uint32 // the first of those that nobody owns
	used  int    // blocks that somebody owns
	short error  // why the system gives no more
}

// source is where memory comes from, and goes back to.
type source struct {
	grow    func(size int) ([]byte, error)
	release func(slab []byte) error
}

func newArena(bytes int64, from source) *arena {
	most := int(bytes / blockSize)
	return &arena{
		source: from,
		slabs:  make([][]byte, (most*blockSize+slabSize-1)/slabSize),
		most:   most,
	}
}

// enlarge asks for another slab; false where there is none.
func (a *arena) enlarge() bool {
	left := a.most - a.made
	if left == 0 || a.short != nil {
		return false
	}
	n := min(left, slabSize/blockSize)
	slab, err := a.grow(n * blockSize)
	if err != nil {
		a.short = err
		return false
	}
	a.slabs[a.made*blockSize/slabSize] = slab
	for id := a.made + n; id > a.made; id-- {
		a.link(uint32(id), a.free)
		a.free = uint32(id)
	}
	a.made += n
	return true
}

// block is the memory of a block.
func (a *arena) block(id uint32) []byte {
	at := int(id-1) * blockSize
	return a.slabs[at/slabSize][at%slabSize:][:blockSize:blockSize]
}

// chain is a row of blocks that are filled one after the other.
type chain struct {
	first, last, at uint32 // at is where it is written on
	blocks          int
	length          int // in bytes
}

func (c *chain) room() int { return c.blocks*blockRoom - c.length }

func (a *arena) next(id uint32) uint32 { return binary.NativeEndian.Uint32(a.block(id)) }

func (a *arena) link(id, next uint32) { binary.NativeEndian.PutUint32(a.block(id), next) }

// give takes up to n free blocks and adds them; false where there are fewer.
func (a *arena) give(c *chain, n int) bool {
	for ; n > 0; n-- {
		id := a.free
		if id == 0 {
			return false
		}
		a.free = a.next(id)
		a.link(id, 0)
		if c.first == 0 {
			c.first, c.at = id, id
		} else {
			a.link(c.last, id)
		}
		c.last = id
		c.blocks++
		a.used++
	}
	return true
}

// takeBack makes a chain's blocks free.
func (a *arena) takeBack(c *chain) {
	if c.first != 0 {
		a.link(c.last, a.free)
		a.free = c.first
		a.used -= c.blocks
	}
	*c = chain{}
}

// put writes on, as far as there is room, and returns how much that was.
func (a *arena) put(c *chain, p []byte) (n int) {
	for n < len(p) && c.room() > 0 {
		off := c.length % blockRoom
		if off == 0 && c.length > 0 {
			c.at = a.next(c.at)
		}
		k := copy(a.block(c.at)[linkSize+off:], p[n:])
		n += k
		c.length += k
	}
	return n
}

// cutTo forgets what is behind that length. The blocks stay.
func (a *arena) cutTo(c *chain, length int) {
	c.at, c.length = c.first, length
	for full := (length - 1) / blockRoom; length > 0 && full > 0; full-- {
		c.at = a.next(c.at)
	}
}

// read yields the bytes of a chain from one place to another, in pieces.
func (a *arena) read(first uint32, from, to int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		id := first
		for at := 0; at < to; at, id = at+blockRoom, a.next(id) {
			lo, hi := max(from-at, 0), min(to-at, blockRoom)
			if lo < hi && !yield(a.block(id)[linkSize+lo:linkSize+hi]) {
				return
			}
		}
	}
}

// appendTo appends those bytes to a buffer.
func (a *arena) appendTo(out []byte, first uint32, from, to int) []byte {
	for piece := range a.read(first, from, to) {
		out = append(out, piece...)
	}
	return out
}
