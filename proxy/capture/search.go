package capture

import (
	"bytes"
	"context"
	"io"
	"os"
	"time"
)

// searchTime is how long a search may take.
const searchTime = time.Second

// Search returns the exchanges of whose bodies one holds the text, byte by byte, the
// newest first, and whether all that are kept were searched: after a second, or where ctx
// ends, it returns what it has found. A compressed body is not unpacked.
func (s *Store) Search(ctx context.Context, text string) (ids []uint64, all bool) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	ids = []uint64{}
	for _, id := range s.IDs() {
		if ctx.Err() != nil {
			return ids, false
		}
		e, err := s.pin(id)
		if err != nil {
			continue // newer ones have taken its place meanwhile
		}
		if s.holds(ctx, &e.request, text) || s.holds(ctx, &e.answer, text) {
			ids = append(ids, id)
		}
		s.unpin(e)
	}
	return ids, ctx.Err() == nil
}

func (s *Store) holds(ctx context.Context, k *kept, text string) bool {
	look := finder{text: []byte(text)}
	for piece := range s.arena.read(k.chain.first, k.from+k.header, k.from+k.header+k.body) {
		if look.in(piece) {
			return true
		}
	}
	if k.file == nil {
		return false
	}
	handle, err := os.Open(k.file.path)
	if err != nil {
		return false // newer bodies have its place
	}
	defer handle.Close()
	buf := make([]byte, handful)
	for ctx.Err() == nil {
		n, err := io.ReadFull(handle, buf)
		if look.in(buf[:n]) {
			return true
		}
		if err != nil {
			return false
		}
	}
	return false
}

// finder looks for a text in pieces, across which it may stand.
type finder struct {
	text []byte
	tail []byte // the end of what has been looked through
}

func (f *finder) in(piece []byte) bool {
	if bytes.Contains(piece, f.text) {
		return true
	}
	most := len(f.text) - 1
	if len(f.tail) > 0 {
		f.tail = append(f.tail, piece[:min(most, len(piece))]...)
		if bytes.Contains(f.tail, f.text) {
			return true
		}
	}
	if len(piece) >= most {
		f.tail = append(f.tail[:0], piece[len(piece)-most:]...)
	} else if len(f.tail) == 0 {
		f.tail = append(f.tail, piece...)
	} else if extra := len(f.tail) - most; extra > 0 {
		f.tail = append(f.tail[:0], f.tail[extra:]...)
	}
	return false
}
