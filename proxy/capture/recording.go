package capture

import (
	"bytes"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Recording is one exchange while it passes. Its request may be taken by one goroutine
// and its answer by another; End or Drop is called once, after all else.
type Recording struct {
	store           *Store
	rules           *rules // as they were when it began
	request, answer side
	scratch         []byte
}

// side is one of the two directions.
type side struct {
	kept
	waits   []byte // the end of the body, which may be the beginning of a secret
	trail   []byte // the trailer, which stands behind the body
	pending chain  // on its way to the file
	coded   bool   // the body is compressed
	events  bool   // it is server-sent events
	grpc    bool
	lost    bool // there was no memory for its header
}

// Begin begins a recording.
func (s *Store) Begin() *Recording {
	r := s.pool.Get().(*Recording)
	r.rules = s.rules.Load()
	return r
}

// Take takes a part as it passes and keeps a copy: header and trailer as lines,
// "Name: value\r\n" each; of a body any piece of it. A header comes before its body; a
// second one begins its side anew. It never waits.
func (r *Recording) Take(part event.Part, p []byte) {
	s := &r.request
	if part >= event.AnswerHeader {
		s = &r.answer
		part -= event.AnswerHeader
	}
	switch part {
	case event.RequestHeader:
		r.header(s, p)
	case event.RequestBody:
		r.body(s, p)
	case event.RequestTrailer:
		for piece := range r.rules.lines(p) {
			s.trail = append(s.trail, piece...)
		}
	}
}

// longestTrailer bounds what is held apart until the body's end.
const longestTrailer = 64 << 10

func (r *Recording) header(s *side, lines []byte) {
	if r.request.chain.first == 0 && !r.lost() {
		r.first()
	}
	if s.chain.length > s.from || s.file != nil {
		r.restart(s)
	}
	if r.rules.looksIntoBodies() {
		s.note(lines)
	}
	for piece := range r.rules.lines(lines) {
		n := r.put(&s.chain, piece)
		s.kept.header += n
		s.lost = s.lost || n < len(piece)
	}
}

// first takes a block for each side at once.
func (r *Recording) first() {
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running++
	r.request.lost = !s.give(&r.request.chain, 1)
	r.answer.lost = !s.give(&r.answer.chain, 1)
	r.request.from = entrySize
	r.request.chain.length = entrySize // it is written at the end
}

// lost tells whether there was no memory for it at all.
func (r *Recording) lost() bool { return r.request.lost || r.answer.lost }

// restart forgets what a side has.
func (r *Recording) restart(s *side) {
	c, from := s.chain, s.from
	r.store.drop(s)
	r.store.arena.cutTo(&c, from)
	*s = side{trail: s.trail[:0], waits: s.waits[:0], lost: s.lost}
	s.chain, s.from = c, from
}

// put copies into a chain as far as there is memory.
func (r *Recording) put(c *chain, p []byte) int {
	if more := len(p) - c.room(); more > 0 {
		_ = r.store.take(c, (more+blockRoom-1)/blockRoom) // what it did give is used
	}
	return r.store.arena.put(c, p)
}

func (r *Recording) body(s *side, p []byte) {
	s.size += int64(len(p))
	if len(p) == 0 || s.cut != whole || s.lost {
		return
	}
	if len(r.rules.secrets) == 0 {
		r.keep(s, p)
		return
	}
	// A secret may stand across two pieces: the end of each waits for the next.
	s.waits = append(s.waits, p...)
	s.hid = r.rules.cover(s.waits) || s.hid
	if sure := len(s.waits) - r.rules.longest() + 1; sure > 0 {
		r.keep(s, s.waits[:sure])
		s.waits = append(s.waits[:0], s.waits[sure:]...)
	}
}

// keep keeps what comes next of a body: first in memory, then on disk.
func (r *Recording) keep(s *side, p []byte) {
	if room := r.store.limits.body - s.kept.body; room > 0 {
		n := min(room, len(p))
		kept := r.put(&s.chain, p[:n])
		s.kept.body += kept
		if kept < n {
			s.cut = cutMemory
			return
		}
		p = p[n:]
	}
	if len(p) > 0 && s.cut == whole {
		r.spill(s, p)
	}
}

// Drop forgets the recording.
func (r *Recording) Drop() { r.over(0, false) }

// over frees all that the recording has.
func (r *Recording) over(id uint64, lost bool) {
	if r.request.chain.first != 0 || r.answer.chain.first != 0 || r.lost() {
		s := r.store
		s.drop(&r.request)
		s.drop(&r.answer)
		s.forget(entry{id: id, request: kept{chain: r.request.chain}, answer: kept{chain: r.answer.chain}}, lost)
	}
	r.reset()
}

// most is how large a buffer is that is kept for the next recording.
const most = 64 << 10

func (r *Recording) reset() {
	for _, s := range []*side{&r.request, &r.answer} {
		waits, trail := s.waits[:0], s.trail[:0]
		if cap(waits) > most || cap(trail) > most {
			waits, trail = nil, nil
		}
		*s = side{waits: waits, trail: trail}
	}
	if cap(r.scratch) > most {
		r.scratch = nil
	}
	r.store.pool.Put(r)
}

// End keeps the exchange, of which e says all but the two messages.
func (r *Recording) End(e event.Exchange) {
	if r.request.chain.first == 0 && !r.lost() { // nothing was ever taken
		r.reset()
		return
	}
	for _, s := range []*side{&r.request, &r.answer} {
		r.finish(s)
	}
	e.Query = r.rules.query(e.Query)
	e.Error = r.rules.text(e.Error)
	r.scratch = appendAbout(r.scratch[:0], &e)
	if r.lost() || r.put(&r.request.chain, r.scratch) < len(r.scratch) {
		r.over(e.ID, true)
		return
	}
	r.store.commit(entry{id: e.ID, request: r.request.kept, answer: r.answer.kept, about: len(r.scratch)})
	r.reset()
}

// finish ends a side: what waited is kept, the rules for whole bodies are applied, and
// the trailer follows.
func (r *Recording) finish(s *side) {
	if len(s.waits) > 0 && s.cut == whole {
		r.keep(s, s.waits)
	}
	r.inspect(s)
	if s.pending.length > 0 {
		r.handOver(s)
	}
	s.trailer = r.put(&s.chain, s.trail[:min(len(s.trail), longestTrailer)])
}

// rewrite puts another body in the place of what is in memory.
func (r *Recording) rewrite(s *side, body []byte) {
	r.store.arena.cutTo(&s.chain, s.from+s.kept.header)
	if s.kept.body = r.put(&s.chain, body); s.kept.body < len(body) {
		s.cut = cutMemory
	}
}

// note keeps of a header what tells how a body is to be looked into.
func (s *side) note(lines []byte) {
	for line := range bytes.Lines(lines) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch string(bytes.ToLower(name)) {
		case "content-encoding", "grpc-encoding":
			s.coded = s.coded || len(value) > 0 && !bytes.EqualFold(value, []byte("identity"))
		case "content-type":
			s.events = bytes.HasPrefix(bytes.ToLower(value), []byte("text/event-stream"))
			s.grpc = bytes.HasPrefix(bytes.ToLower(value), []byte("application/grpc"))
		}
	}
}
