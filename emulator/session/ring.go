package session

import "slices"

// Ring keeps the latest of what was added, within bounds. Its items have places: the
// first ever added is at 0, so that a place stays an item's own while others go.
type Ring[T any] struct {
	most, mostBytes int
	bytes           int
	items           []T
	sizes           []int32
	head            int // of items: what is before it has gone
	gone            int // how many have gone
}

// newRing keeps at most so many items, of at most so many bytes together.
func newRing[T any](most, mostBytes int) Ring[T] { return Ring[T]{most: most, mostBytes: mostBytes} }

// add takes an item of about so many bytes, and drops the oldest where that is too much.
func (r *Ring[T]) add(item T, bytes int) {
	r.items, r.sizes = append(r.items, item), append(r.sizes, int32(bytes))
	r.bytes += bytes
	for r.Len() > r.most || r.bytes > r.mostBytes && r.Len() > 1 {
		var none T
		r.bytes -= int(r.sizes[r.head])
		r.items[r.head] = none
		r.head++
		r.gone++
	}
	if r.head > 64 && r.head > len(r.items)/2 {
		n := copy(r.items, r.items[r.head:])
		clear(r.items[n:])
		copy(r.sizes, r.sizes[r.head:])
		r.items, r.sizes, r.head = r.items[:n], r.sizes[:n], 0
	}
}

// Len is how many are kept.
func (r *Ring[T]) Len() int { return len(r.items) - r.head }

// First is the place of the oldest that is kept, and End the one after the latest: how
// many were ever added.
func (r *Ring[T]) First() int { return r.gone }

// End is the place after the latest: how many were ever added.
func (r *Ring[T]) End() int { return r.gone + r.Len() }

// At returns the item at a place, from First to before End.
func (r *Ring[T]) At(place int) *T { return &r.items[r.head+place-r.gone] }

// Last returns the latest; nil where there is none.
func (r *Ring[T]) Last() *T {
	if r.Len() == 0 {
		return nil
	}
	return &r.items[len(r.items)-1]
}

// Bytes is about how much memory the kept items take.
func (r *Ring[T]) Bytes() int { return r.bytes }

func (r *Ring[T]) clone() Ring[T] {
	c := *r
	c.items, c.sizes, c.head = slices.Clone(r.items[r.head:]), slices.Clone(r.sizes[r.head:]), 0
	return c
}
