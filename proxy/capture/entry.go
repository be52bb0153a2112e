package capture

import "encoding/binary"

// entry is an exchange that has ended.
type entry struct {
	id              uint64
	request, answer kept
	about           int // bytes of its description, behind the request
}

// kept is one side of an exchange: a header, what is in memory of a body, and a trailer,
// in this order in one chain.
type kept struct {
	chain                 chain
	from                  int // where the header begins
	header, body, trailer int
	size                  int64 // of the body as it passed
	cut                   cut
	hid                   bool // rules hide something of the body
	file                  *file
}

// files are those of an exchange, of which few have any.
type files struct{ request, answer *file }

// The entry itself stands at the beginning of its request's first block: as values, a
// hundred thousand of them would be the garbage collector's, and apart from what is
// overwritten next they would cost as much to reach as all the rest.
const (
	keptSize  = 6*4 + 8 + 2
	entrySize = 2*keptSize + 4
)

// write puts an entry where it belongs.
func (a *arena) write(e *entry) {
	out := a.block(e.request.chain.first)[linkSize:linkSize]
	for _, k := range [...]*kept{&e.request, &e.answer} {
		c := &k.chain
		for _, n := range [...]int{int(c.first), int(c.last), c.blocks, k.header, k.body, k.trailer} {
			out = binary.NativeEndian.AppendUint32(out, uint32(n))
		}
		out = binary.NativeEndian.AppendUint64(out, uint64(k.size))
		hid := byte(0)
		if k.hid {
			hid = 1
		}
		out = append(out, byte(k.cut), hid)
	}
	_ = binary.NativeEndian.AppendUint32(out, uint32(e.about))
}

// entry reads what write wrote.
func (a *arena) entry(s slot) entry {
	in := a.block(s.first)[linkSize:]
	e := entry{id: s.id}
	number := func() int {
		n := int(binary.NativeEndian.Uint32(in))
		in = in[4:]
		return n
	}
	for _, k := range [...]*kept{&e.request, &e.answer} {
		k.chain.first, k.chain.last, k.chain.blocks = uint32(number()), uint32(number()), number()
		k.header, k.body, k.trailer = number(), number(), number()
		k.size = int64(binary.NativeEndian.Uint64(in))
		k.cut, k.hid = cut(in[8]), in[9] == 1
		in = in[10:]
	}
	e.request.from = entrySize
	e.about = number()
	return e
}
