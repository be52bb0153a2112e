package capture

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// DefaultBytes is how much memory exchanges have where nothing else is given.
const DefaultBytes = 256 << 20

// LeastBytes and MostBytes bound what they may have.
const (
	LeastBytes = 1 << 20
	MostBytes  = 64 << 30
)

// Options say how much is kept, and what of it is hidden.
type Options struct {
	// Bytes is the memory of all that is kept; 0 is DefaultBytes.
	Bytes int64
	// Dir is a folder of the store's own for what is too large for memory. It is made
	// when it is needed, and removed by Close. Empty is none: then large bodies are cut.
	Dir string
	// Disk is how many bytes may be there; 0 is four times Bytes. One body may have a
	// quarter of it.
	Disk int64
	// Headers are names of header and trailer fields that are hidden, besides those that
	// always are: Authorization, Proxy-Authorization, Cookie, Set-Cookie and X-Api-Key.
	Headers []string
	// JSON are paths into JSON bodies whose values are hidden, as "instances.*.email".
	JSON []string
	// Secrets are hidden wherever they stand in a header, a query or a body.
	Secrets []string
}

// Store keeps exchanges. New makes it.
type Store struct {
	rules    atomic.Pointer[rules]
	limits   limits
	pool     sync.Pool // of *Recording
	dir      string
	spilling sync.WaitGroup
	writing  []byte // of the goroutine that writes

	mu       sync.Mutex
	changed  sync.Cond // the spill has done something, or is to
	arena    *arena
	kept     ring
	pins     map[uint64]*pin
	running  int              // recordings with blocks
	filed    map[uint64]files // by exchange
	files    []*file          // the oldest first
	nextFile int
	disk     int64 // bytes of files
	ahead    int   // bytes on their way to files
	jobs     []job
	spills   bool // the goroutine runs
	closed   bool
	last     uint64 // the highest ID that has come
	evicted  uint64 // exchanges that newer ones took the place of
	lost     uint64 // exchanges that there was no memory for at all
	cut      uint64 // bodies that were cut
}

// limits follow from the options.
type limits struct {
	body  int   // of a body, in memory
	ahead int   // bytes on their way to files
	file  int64 // of a body, on disk
	disk  int64
}

// New returns a store without exchanges. It takes memory as it needs it.
func New(o Options) (*Store, error) { return newStore(o, source{memory, giveBack}) }

func newStore(o Options, from source) (*Store, error) {
	if o.Bytes == 0 {
		o.Bytes = DefaultBytes
	}
	if o.Bytes < LeastBytes || o.Bytes > MostBytes {
		return nil, fmt.Errorf("capture: %d bytes of memory: it is 1Mi to 64Gi; to capture nothing turn it off", o.Bytes)
	}
	if o.Disk == 0 {
		o.Disk = 4 * o.Bytes
	}
	rules, err := newRules(o)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir: o.Dir,
		limits: limits{
			body:  int(min(1<<20, o.Bytes/16)),
			ahead: int(min(16<<20, o.Bytes/4)),
			file:  o.Disk / 4,
			disk:  o.Disk,
		},
		arena: newArena(o.Bytes, from),
		pins:  map[uint64]*pin{},
		filed: map[uint64]files{},
	}
	s.rules.Store(&rules)
	s.changed.L = &s.mu
	s.pool.New = func() any { return &Recording{store: s} }
	return s, nil
}

// Hide has these secrets hidden besides the others, in every request that begins from now
// on.
func (s *Store) Hide(secrets ...string) {
	for {
		before := s.rules.Load()
		after := before.withSecrets(secrets)
		if s.rules.CompareAndSwap(before, &after) {
			return
		}
	}
}

// Close ends the store and removes its files. What is still recorded is forgotten.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	s.mu.Unlock()
	s.spilling.Wait()

	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = ring{}
	var err error
	if s.dir != "" && s.nextFile > 0 {
		err = os.RemoveAll(s.dir)
	}
	if s.running > 0 || len(s.pins) > 0 {
		return err // its memory ends with the process: somebody is in it
	}
	for _, slab := range s.arena.slabs {
		if slab != nil {
			err = errors.Join(err, s.arena.release(slab))
		}
	}
	return err
}

// Stats are the numbers of this instant.
func (s *Store) Stats() event.Capture {
	s.mu.Lock()
	defer s.mu.Unlock()
	return event.Capture{
		Kept: s.kept.length(), Evicted: s.evicted, Lost: s.lost, Cut: s.cut,
		Bytes: int64(s.arena.used) * blockSize, Most: int64(s.arena.most) * blockSize,
		Disk: s.disk, DiskMost: s.limits.disk,
	}
}

// take gives a chain so many more blocks, of the oldest exchanges where none is free;
// false where there are no more.
func (s *Store) take(c *chain, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.give(c, n)
}

// give is take with the lock held.
func (s *Store) give(c *chain, n int) bool {
	for !s.closed {
		had := c.blocks
		if s.arena.give(c, n) {
			return true
		}
		n -= c.blocks - had
		if !s.arena.enlarge() && !s.evict() {
			break
		}
	}
	return false
}

// evict lets the oldest exchange go; false where none is kept. It is called with the lock
// held.
func (s *Store) evict() bool {
	if s.kept.length() == 0 {
		return false
	}
	e := s.entry(s.kept.pop())
	s.evicted++
	if len(s.pins) > 0 {
		if p := s.pins[e.id]; p != nil {
			p.evicted = true
			return true // whoever reads it frees it
		}
	}
	s.free(&e)
	return true
}

// entry is what is known of an exchange. It is called with the lock held.
func (s *Store) entry(at slot) entry {
	e := s.arena.entry(at)
	if len(s.filed) > 0 {
		f := s.filed[at.id]
		e.request.file, e.answer.file = f.request, f.answer
	}
	return e
}

// free is called with the lock held.
func (s *Store) free(e *entry) {
	for _, k := range []*kept{&e.request, &e.answer} {
		s.arena.takeBack(&k.chain)
		if k.file != nil {
			s.discard(k.file)
		}
	}
	if len(s.filed) > 0 {
		delete(s.filed, e.id)
	}
}

// commit adds an exchange that has ended.
func (s *Store) commit(e entry) {
	s.arena.write(&e)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.last = max(s.last, e.id)
	for _, k := range []*kept{&e.request, &e.answer} {
		if k.cut.rest() {
			s.cut++
		}
		if k.file != nil {
			s.files = append(s.files, k.file)
			s.queue(job{file: k.file, ends: true})
		}
	}
	if s.closed {
		return
	}
	if e.request.file != nil || e.answer.file != nil {
		s.filed[e.id] = files{e.request.file, e.answer.file}
	}
	s.kept.push(slot{e.id, e.request.chain.first})
}

// forget frees what a recording has that is not kept.
func (s *Store) forget(e entry, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	if lost {
		s.lost++
		s.last = max(s.last, e.id)
	}
	s.free(&e)
}
