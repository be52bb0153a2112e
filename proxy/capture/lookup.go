package capture

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// pin keeps an exchange's memory while it is read.
type pin struct {
	readers int
	evicted bool
}

var errClosed = errors.New("the session has ended, and what it captured with it")

// Lookup returns an exchange by the ID that its event.Served has. An error says why it is
// not kept.
func (s *Store) Lookup(id uint64) (event.Exchange, error) {
	e, err := s.pin(id)
	if err != nil {
		return event.Exchange{}, err
	}
	defer s.unpin(e)
	s.settle(e)
	begin := e.request.from + e.request.header + e.request.body + e.request.trailer
	x := about(id, s.arena.appendTo(nil, e.request.chain.first, begin, begin+e.about))
	x.Request = s.message(&e.request)
	x.Answer = s.message(&e.answer)
	if x.Method != http.MethodHead && x.Status != http.StatusNotModified {
		note(&x.Answer)
	}
	note(&x.Request)
	return x, nil
}

// IDs returns the exchanges that are kept, the newest first.
func (s *Store) IDs() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]uint64, s.kept.length())
	for i := range ids {
		ids[len(ids)-1-i] = s.kept.at(i).id
	}
	return ids
}

// pin finds an exchange and keeps it; unpin must follow.
func (s *Store) pin(id uint64) (entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return entry{}, errClosed
	}
	at, is := s.kept.find(id)
	if !is {
		return entry{}, s.missing(id)
	}
	if s.pins[id] == nil {
		s.pins[id] = &pin{}
	}
	s.pins[id].readers++
	return s.entry(at), nil
}

func (s *Store) unpin(e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pins[e.id]
	if p.readers--; p.readers > 0 {
		return
	}
	delete(s.pins, e.id)
	if p.evicted {
		s.free(&e)
	}
}

// missing says why there is no such exchange. It is called with the lock held.
func (s *Store) missing(id uint64) error {
	switch {
	case id == 0 || id > s.last:
		return fmt.Errorf("request %d is not there: it has not ended, or never was", id)
	case s.kept.length() > 0 && id > s.kept.at(0).id:
		return fmt.Errorf("request %d is not kept: when it ran, the memory of captures was full of others that ran", id)
	}
	return fmt.Errorf("request %d is not kept any more: %d older exchanges made room for newer ones, within the %d MiB that they have (capture.bytes in merlin-local.yaml sets that)",
		id, s.evicted, int64(s.arena.most)*blockSize>>20)
}

// settle waits until what is on its way to an exchange's files is there.
func (s *Store) settle(e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range []*kept{&e.request, &e.answer} {
		for k.file != nil && !k.file.dropped && k.file.waiting > 0 && !s.closed {
			s.changed.Wait()
		}
	}
}

// message reads one side. It is called without the lock.
func (s *Store) message(k *kept) event.Message {
	at := k.from + k.header
	m := event.Message{Size: k.size, Header: fields(s.arena.appendTo(nil, k.chain.first, k.from, at))}
	m.Trailer = fields(s.arena.appendTo(nil, k.chain.first, at+k.body, at+k.body+k.trailer))
	onDisk, lost := 0, k.cut.String()
	if k.file != nil {
		onDisk = s.sizeOf(k.file)
	}
	if k.body > 0 {
		m.Body = s.arena.appendTo(make([]byte, 0, k.body+onDisk), k.chain.first, at, at+k.body)
	}
	if k.file != nil {
		n, why := s.readFile(k.file, m.Body[k.body:k.body+onDisk])
		m.Body = m.Body[:k.body+n]
		if why != "" {
			lost = why
		}
	}
	switch {
	case lost != "":
		m.Cut = sentence(int64(len(m.Body)), m.Size, lost)
	case k.hid:
		m.Cut = hiddenParts
	}
	return m
}

// sizeOf is how much of a body a file has.
func (s *Store) sizeOf(f *file) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(f.size)
}

// readFile fills p with what a file has, and says why that is not all.
func (s *Store) readFile(f *file, p []byte) (n int, why string) {
	s.mu.Lock()
	err, dropped := f.err, f.dropped
	s.mu.Unlock()
	if dropped {
		return 0, "newer bodies have taken its place on disk"
	}
	handle, openErr := os.Open(f.path)
	if openErr == nil {
		defer handle.Close()
		n, openErr = io.ReadFull(handle, p)
	}
	if err = cmp.Or(err, openErr); err != nil {
		return n, "the disk: " + err.Error()
	}
	return n, ""
}

// fields reads header lines.
func fields(lines []byte) []event.Field {
	var all []event.Field
	for line := range bytes.Lines(lines) {
		if name, value, ok := bytes.Cut(line, []byte(":")); ok {
			all = append(all, event.Field{Name: string(name), Value: string(bytes.TrimSpace(value))})
		}
	}
	return all
}

// note says so where less passed of a body than its header announces.
func note(m *event.Message) {
	if m.Cut != "" {
		return
	}
	for _, f := range m.Header {
		if http.CanonicalHeaderKey(f.Name) != "Content-Length" {
			continue
		}
		if n, err := strconv.ParseInt(f.Value, 10, 64); err == nil && n > m.Size {
			m.Cut = fmt.Sprintf("only %d of the %d bytes that its header announces passed", m.Size, n)
		}
		return
	}
}
