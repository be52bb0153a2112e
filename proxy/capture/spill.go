package capture

import (
	"fmt"
	"os"
	"path/filepath"
)

// file is the part of a body that is on disk.
type file struct {
	path   string
	handle *os.File // of the goroutine that writes

	// guarded by Store.mu
	size    int64 // bytes that are there, or on their way
	waiting int   // jobs
	err     error // why it ends early
	dropped bool  // newer bodies have its place
}

// job is what the goroutine that writes has to do next: to write a chain to a file, or to
// end it, or to remove it.
type job struct {
	file    *file
	chain   chain
	ends    bool
	removes bool
}

// handful is how much is handed over at a time.
const handful = 64 << 10

// spill puts what comes next of a body on its way to a file.
func (r *Recording) spill(s *side, p []byte) {
	if s.file == nil {
		if r.store.dir == "" {
			s.cut = cutNoDisk
			return
		}
		s.file = r.store.newFile()
	}
	for len(p) > 0 && s.cut == whole {
		n := min(len(p), handful-s.pending.length)
		put := r.put(&s.pending, p[:n])
		if p = p[n:]; put < n {
			s.cut = cutMemory
		}
		if s.pending.length >= handful || s.cut != whole {
			r.handOver(s)
		}
	}
}

func (s *Store) newFile() *file {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextFile++
	if !s.spills && !s.closed {
		s.spills = true
		s.spilling.Go(s.write)
	}
	return &file{path: filepath.Join(s.dir, fmt.Sprintf("%d.body", s.nextFile))}
}

// handOver gives what is pending to the goroutine that writes, unless that is behind or
// there is no place for it.
func (r *Recording) handOver(side *side) {
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	c, f := side.pending, side.file
	side.pending = chain{}
	n := int64(c.length)
	why := whole
	switch {
	case f.err != nil || s.closed: // told with the body
	case f.size+n > s.limits.file || !s.makeRoom(n):
		why = cutLarge
	case s.ahead+c.length > s.limits.ahead:
		why = cutSlow
	default:
		f.size += n
		s.disk += n
		s.ahead += c.length
		s.queue(job{file: f, chain: c})
		return
	}
	if why != whole && side.cut == whole {
		side.cut = why
	}
	s.arena.takeBack(&c)
}

// makeRoom drops the oldest files until there is room for so many bytes. It is called
// with the lock held.
func (s *Store) makeRoom(n int64) bool {
	for s.disk+n > s.limits.disk {
		if len(s.files) == 0 {
			return false
		}
		s.discard(s.files[0])
	}
	return true
}

// discard removes a file. It is called with the lock held.
func (s *Store) discard(f *file) {
	for i, other := range s.files {
		if other == f {
			s.files = append(s.files[:i], s.files[i+1:]...)
			break
		}
	}
	if f.dropped {
		return
	}
	f.dropped = true
	s.disk -= f.size
	s.queue(job{file: f, removes: true})
}

// drop discards the file of a side that is not kept, and what is on its way there.
func (s *Store) drop(side *side) {
	if side.file == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arena.takeBack(&side.pending)
	s.discard(side.file)
	side.file = nil
}

// queue is called with the lock held.
func (s *Store) queue(j job) {
	if s.closed {
		if j.chain.first != 0 {
			s.ahead -= j.chain.length
			s.arena.takeBack(&j.chain)
		}
		return
	}
	j.file.waiting++
	s.jobs = append(s.jobs, j)
	s.changed.Broadcast()
}

// write does jobs until the store is closed.
func (s *Store) write() {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := map[*file]bool{}
	for {
		for len(s.jobs) == 0 && !s.closed {
			s.changed.Wait()
		}
		if len(s.jobs) == 0 {
			for f := range open {
				_ = f.close()
			}
			return
		}
		j := s.jobs[0]
		s.jobs = append(s.jobs[:0], s.jobs[1:]...)
		skip := s.closed || j.file.err != nil || (j.file.dropped && !j.removes)
		s.mu.Unlock()
		err := s.do(j, skip)
		s.mu.Lock()
		if delete(open, j.file); j.file.handle != nil {
			open[j.file] = true
		}
		s.ahead -= j.chain.length
		s.arena.takeBack(&j.chain)
		if err != nil && j.file.err == nil {
			j.file.err = err
		}
		j.file.waiting--
		s.changed.Broadcast()
	}
}

// do does one job. It is called without the lock.
func (s *Store) do(j job, skip bool) error {
	f := j.file
	switch {
	case j.ends:
		return f.close()
	case j.removes:
		_ = f.close()
		_ = os.Remove(f.path) // else Close does
		return nil
	case skip:
		return nil
	}
	if err := s.open(f); err != nil {
		return err
	}
	s.writing = s.arena.appendTo(s.writing[:0], j.chain.first, 0, j.chain.length)
	_, err := f.handle.Write(s.writing)
	return err
}

func (s *Store) open(f *file) error {
	if f.handle != nil {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	handle, err := os.OpenFile(f.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	f.handle = handle
	return err
}

func (f *file) close() error {
	if f.handle == nil {
		return nil
	}
	err := f.handle.Close()
	f.handle = nil
	return err
}
