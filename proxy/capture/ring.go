package capture

import "sort"

// slot is where an exchange that has ended is: its request's first block begins with the
// rest of what is known of it.
type slot struct {
	id    uint64
	first uint32
}

// ring is the exchanges in the order of their IDs, the oldest first.
type ring struct {
	slots       []slot // its length is a power of two
	first, next uint64 // next-first are there; the index is modulo the length
}

func (r *ring) length() int { return int(r.next - r.first) }

// at is the i-th oldest.
func (r *ring) at(i int) *slot {
	return &r.slots[(r.first+uint64(i))&uint64(len(r.slots)-1)]
}

func (r *ring) pop() slot {
	oldest := *r.at(0)
	r.first++
	return oldest
}

// push adds an exchange. Requests that end in the same instant may come in any order, so
// it finds its place from the end.
func (r *ring) push(s slot) {
	if r.length() == len(r.slots) {
		r.enlarge()
	}
	r.next++
	i := r.length() - 1
	for ; i > 0 && r.at(i-1).id > s.id; i-- {
		*r.at(i) = *r.at(i - 1)
	}
	*r.at(i) = s
}

func (r *ring) enlarge() {
	larger := make([]slot, max(256, 2*len(r.slots)))
	n := r.length()
	for i := range n {
		larger[i] = *r.at(i)
	}
	r.slots, r.first, r.next = larger, 0, uint64(n)
}

// find returns the slot of an ID; false where it is not there.
func (r *ring) find(id uint64) (slot, bool) {
	n := r.length()
	i := sort.Search(n, func(i int) bool { return r.at(i).id >= id })
	if i == n || r.at(i).id != id {
		return slot{}, false
	}
	return *r.at(i), true
}
