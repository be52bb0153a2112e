package capture

import "sort"

// entry is where an exchange that has ended is.
type entry struct {
	id              uint64
	request, answer kept
	about           int // bytes of its description, behind the request
}

// kept is one side of an exchange: a header, what is in memory of a body, and a trailer,
// in this order in one chain.
type kept struct {
	chain                 chain
	header, body, trailer int
	size                  int64 // of the body as it passed
	cut                   cut
	hid                   bool // rules hide something of the body
	file                  *file
}

// ring is the entries in the order of their IDs, the oldest first.
type ring struct {
	entries     []entry // its length is a power of two
	first, next uint64  // next-first are there; the index is modulo the length
}

func (r *ring) length() int { return int(r.next - r.first) }

// at is the i-th oldest.
func (r *ring) at(i int) *entry {
	return &r.entries[(r.first+uint64(i))&uint64(len(r.entries)-1)]
}

func (r *ring) pop() entry {
	e := r.at(0)
	oldest := *e
	if e.request.file != nil || e.answer.file != nil {
		*e = entry{}
	}
	r.first++
	return oldest
}

// push adds an entry. Requests that end in the same instant may come in any order, so it
// finds its place from the end.
func (r *ring) push(e entry) {
	if r.length() == len(r.entries) {
		r.enlarge()
	}
	r.next++
	i := r.length() - 1
	for ; i > 0 && r.at(i-1).id > e.id; i-- {
		*r.at(i) = *r.at(i - 1)
	}
	*r.at(i) = e
}

func (r *ring) enlarge() {
	larger := make([]entry, max(256, 2*len(r.entries)))
	n := r.length()
	for i := range n {
		larger[i] = *r.at(i)
	}
	r.entries, r.first, r.next = larger, 0, uint64(n)
}

// find returns the entry of an ID, nil where it is not there.
func (r *ring) find(id uint64) *entry {
	n := r.length()
	i := sort.Search(n, func(i int) bool { return r.at(i).id >= id })
	if i == n || r.at(i).id != id {
		return nil
	}
	return r.at(i)
}
