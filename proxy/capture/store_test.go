package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// heap is memory that the race detector sees.
var heap = source{
	grow:    func(size int) ([]byte, error) { return make([]byte, size), nil },
	release: func([]byte) error { return nil },
}

func store(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := newStore(o, heap)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if s.running != 0 || len(s.pins) != 0 || s.ahead != 0 {
			t.Errorf("%d recordings run, %d are read, %d bytes are on their way", s.running, len(s.pins), s.ahead)
		}
	})
	return s
}

// said is an exchange as a test has it pass.
type said struct {
	id              uint64
	header, trailer string
	request, answer []byte
	query           string
}

func (s said) record(to *Store) {
	r := to.Begin()
	r.Take(event.RequestHeader, []byte("Host: h\r\n"+s.header))
	for piece := range slices.Chunk(s.request, 700) {
		r.Take(event.RequestBody, piece)
	}
	r.Take(event.AnswerHeader, []byte("A: b\r\n"+s.header))
	for piece := range slices.Chunk(s.answer, 5000) {
		r.Take(event.AnswerBody, piece)
	}
	if s.trailer != "" {
		r.Take(event.AnswerTrailer, []byte(s.trailer))
	}
	r.End(event.Exchange{Served: event.Served{ID: s.id, Method: "POST", Status: 200}, Query: s.query})
}

func lookup(t *testing.T, s *Store, id uint64) event.Exchange {
	t.Helper()
	e, err := s.Lookup(id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestWhatWasCapturedComesBack(t *testing.T) {
	s := store(t, Options{})
	grpc := 5
	want := event.Exchange{
		Served: event.Served{
			ID: 3, Method: "POST", Host: "h", Path: "/p", Proto: "HTTP/2.0", Status: 200, GRPCStatus: &grpc, Replica: "1.2.3.4:8080",
			Held: 1, Queued: 2, Sent: 3, FirstByte: 4, Took: 5, BytesIn: 6, BytesOut: 7, Error: "e", Fault: "drop",
		},
		Query: "?a=b", Model: "iris-1", Revision: 4, Arrived: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Request: event.Message{Header: []event.Field{{Name: "Host", Value: "h"}, {Name: "x", Value: ""}}, Body: []byte("ask"), Size: 3},
		Answer:  event.Message{Header: []event.Field{{Name: "C", Value: "d e"}}, Trailer: []event.Field{{Name: "T", Value: "1"}}},
	}
	r := s.Begin()
	r.Take(event.RequestHeader, []byte("Host: h\r\nx:\r\n"))
	r.Take(event.AnswerHeader, []byte("Old: gone\r\n"))
	r.Take(event.AnswerBody, []byte("gone"))
	r.Take(event.AnswerHeader, []byte("C: d e\r\n"))
	r.Take(event.RequestBody, []byte("as"))
	r.Take(event.RequestBody, []byte("k"))
	r.Take(event.AnswerTrailer, []byte("T: 1\r\n"))
	about := want
	about.Request, about.Answer = event.Message{}, event.Message{}
	r.End(about)
	if got := lookup(t, s, 3); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for id, words := range map[uint64]string{0: "never was", 4: "has not ended", 2: "not kept any more"} {
		if _, err := s.Lookup(id); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%d: error is %v", id, err)
		}
	}
}

func TestTheOldestMakeRoomAndAreCounted(t *testing.T) {
	s := store(t, Options{Bytes: LeastBytes})
	const all = 2000
	for id := range uint64(all) {
		said{id: id + 1, request: bytes.Repeat([]byte{byte(id)}, 1500), answer: []byte("ok")}.record(s)
	}
	stats := s.Stats()
	if stats.Kept != LeastBytes/blockSize/2 || stats.Evicted != all-uint64(stats.Kept) || stats.Bytes != LeastBytes || stats.Lost != 0 || stats.Cut != 0 {
		t.Errorf("stats are %+v", stats)
	}
	ids := s.IDs()
	if len(ids) != stats.Kept || ids[0] != all || ids[len(ids)-1] != all-uint64(stats.Kept)+1 {
		t.Errorf("%d to %d are kept", ids[len(ids)-1], ids[0])
	}
	for _, id := range ids {
		if e := lookup(t, s, id); !bytes.Equal(e.Request.Body, bytes.Repeat([]byte{byte(id - 1)}, 1500)) {
			t.Errorf("%d has another's body", id)
		}
	}
	if _, err := s.Lookup(1); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d older exchanges made room", stats.Evicted)) {
		t.Errorf("error is %v", err)
	}
}

func TestIDsMayComeInAnyOrderOfOneInstant(t *testing.T) {
	s := store(t, Options{})
	for _, id := range []uint64{1, 4, 2, 3, 6} {
		said{id: id}.record(s)
	}
	if ids := s.IDs(); !slices.Equal(ids, []uint64{6, 4, 3, 2, 1}) {
		t.Errorf("kept %v", ids)
	}
	if _, err := s.Lookup(5); err == nil || !strings.Contains(err.Error(), "when it ran") {
		t.Errorf("error is %v", err)
	}
}

func TestALargeBodyIsOnDiskToTheByteAndRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spill")
	s, err := newStore(Options{Dir: dir}, heap)
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 5<<20)
	for i := range large {
		large[i] = byte(i * i >> 8)
	}
	said{id: 1, request: large, answer: large[1:], trailer: "T: 1\r\n"}.record(s)
	e := lookup(t, s, 1)
	if !bytes.Equal(e.Request.Body, large) || !bytes.Equal(e.Answer.Body, large[1:]) || e.Request.Cut+e.Answer.Cut != "" || len(e.Answer.Trailer) != 1 {
		t.Errorf("%d and %d bytes came back, cut %q and %q", len(e.Request.Body), len(e.Answer.Body), e.Request.Cut, e.Answer.Cut)
	}
	if got := s.Stats(); got.Disk != 2*4<<20-1 {
		t.Errorf("%d bytes are on disk", got.Disk)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("%d files, %v", len(files), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, err := s.Lookup(1); !errors.Is(err, errClosed) {
		t.Errorf("error is %v", err)
	}
}

func TestTheDiskHasABoundToo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spill")
	s := store(t, Options{Bytes: 16 << 20, Dir: dir, Disk: 8 << 20})
	large := bytes.Repeat([]byte("0123456789abcdef"), 10<<20/16)
	for id := range uint64(6) {
		said{id: id + 1, answer: large[:2<<20]}.record(s)
		lookup(t, s, id+1) // until it is on disk
	}
	if got := s.Stats(); got.Disk > 8<<20 {
		t.Errorf("%d bytes are on disk", got.Disk)
	}
	if e := lookup(t, s, 6); len(e.Answer.Body) != 2<<20 || e.Answer.Cut != "" {
		t.Errorf("of the newest %d bytes are kept: %s", len(e.Answer.Body), e.Answer.Cut)
	}
	said{id: 7, answer: large}.record(s)
	e := lookup(t, s, 7)
	if len(e.Answer.Body) != 3<<20 || e.Answer.Size != 10<<20 || !strings.Contains(e.Answer.Cut, "the disk's share") {
		t.Errorf("of 10 MiB %d bytes are kept, of %d: %s", len(e.Answer.Body), e.Answer.Size, e.Answer.Cut)
	}
	for id := range uint64(8) {
		said{id: id + 8, answer: large[:2<<20]}.record(s)
		lookup(t, s, id+8)
	}
	if e := lookup(t, s, 7); len(e.Answer.Body) != 1<<20 || !strings.Contains(e.Answer.Cut, "newer bodies") {
		t.Errorf("of the oldest %d bytes are kept: %s", len(e.Answer.Body), e.Answer.Cut)
	}
	s.mu.Lock()
	for len(s.jobs) > 0 {
		s.changed.Wait()
	}
	s.mu.Unlock()
	if files, _ := os.ReadDir(dir); len(files) > 8 {
		t.Errorf("%d files are left", len(files))
	}
}

func TestWithoutAFolderALargeBodyIsCut(t *testing.T) {
	s := store(t, Options{})
	said{id: 1, answer: make([]byte, 2<<20)}.record(s)
	if e := lookup(t, s, 1); len(e.Answer.Body) != 1<<20 || e.Answer.Cut != "only the first 1048576 of 2097152 bytes are kept: there is no folder for what is too large for memory" {
		t.Errorf("%d bytes are kept: %s", len(e.Answer.Body), e.Answer.Cut)
	}
	if s.Stats().Cut != 1 {
		t.Errorf("stats are %+v", s.Stats())
	}
}

func TestADiskThatFailsIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := newStore(Options{Dir: filepath.Join(file, "no folder")}, heap)
	if err != nil {
		t.Fatal(err)
	}
	said{id: 1, answer: make([]byte, 2<<20)}.record(s)
	if e := lookup(t, s, 1); len(e.Answer.Body) != 1<<20 || !strings.Contains(e.Answer.Cut, "the disk: ") {
		t.Errorf("%d bytes are kept: %s", len(e.Answer.Body), e.Answer.Cut)
	}
	_ = s.Close() // the folder is none
}

func TestMemoryIsBoundedWhateverRuns(t *testing.T) {
	s := store(t, Options{Bytes: LeastBytes})
	var running []*Recording
	for range 2000 { // more than there is memory for
		r := s.Begin()
		r.Take(event.RequestHeader, []byte("Host: h\r\n"))
		r.Take(event.RequestBody, make([]byte, 10_000))
		running = append(running, r)
	}
	if got := s.Stats(); got.Bytes > LeastBytes {
		t.Errorf("stats are %+v", got)
	}
	for i, r := range running {
		r.Take(event.AnswerHeader, []byte("A: b\r\n"))
		r.End(event.Exchange{Served: event.Served{ID: uint64(i + 1)}})
	}
	stats := s.Stats()
	if stats.Lost == 0 || stats.Kept == 0 || uint64(stats.Kept)+stats.Evicted+stats.Lost != 2000 || stats.Cut == 0 {
		t.Errorf("stats are %+v", stats)
	}
	said{id: 3000, answer: []byte("all is well again")}.record(s)
	if e := lookup(t, s, 3000); string(e.Answer.Body) != "all is well again" {
		t.Errorf("captured %+v", e.Answer)
	}
}

func TestABodyWithoutEndStaysWithinItsBounds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spill")
	s := store(t, Options{Bytes: 8 << 20, Dir: dir, Disk: 16 << 20})
	said{id: 1, request: []byte("before")}.record(s)
	r := s.Begin()
	r.Take(event.RequestHeader, []byte("Host: h\r\n"))
	r.Take(event.AnswerHeader, []byte("A: b\r\n"))
	piece := bytes.Repeat([]byte("0123456789abcdef"), 32<<10/16)
	const all = 1 << 30
	for range all / len(piece) {
		r.Take(event.AnswerBody, piece)
		if got := s.Stats(); got.Bytes > 8<<20 || got.Disk > 16<<20 {
			t.Fatalf("stats are %+v", got)
		}
	}
	r.End(event.Exchange{Served: event.Served{ID: 2}})
	m := lookup(t, s, 2).Answer
	if m.Size != all || m.Cut == "" || len(m.Body) < 512<<10 || len(m.Body) > 512<<10+4<<20 || !bytes.HasPrefix(m.Body, piece) {
		t.Errorf("%d of %d bytes are kept: %s", len(m.Body), m.Size, m.Cut)
	}
	if e := lookup(t, s, 1); string(e.Request.Body) != "before" {
		t.Errorf("the one before it has %q", e.Request.Body)
	}
}

func TestAnExchangeThatIsReadStaysWhileNewerOnesCome(t *testing.T) {
	s := store(t, Options{Bytes: LeastBytes})
	said{id: 1, request: []byte("the first")}.record(s)
	e, err := s.pin(1)
	if err != nil {
		t.Fatal(err)
	}
	for id := range uint64(2000) {
		said{id: id + 2, request: bytes.Repeat([]byte("x"), 1500)}.record(s)
	}
	if got := s.message(&e.request); string(got.Body) != "the first" {
		t.Errorf("got %q", got.Body)
	}
	if _, err := s.Lookup(1); err == nil {
		t.Error("it is still found")
	}
	s.unpin(e)
	for id := range uint64(2000) {
		said{id: id + 3000}.record(s)
	}
	if got := s.Stats(); got.Bytes != LeastBytes {
		t.Errorf("stats are %+v: its memory did not come back", got)
	}
}

func TestReadersAndWritersMayComeAtOnce(t *testing.T) {
	s := store(t, Options{Bytes: 2 << 20, Dir: filepath.Join(t.TempDir(), "spill"), Secrets: []string{"hunter22"}, JSON: []string{"secret"}})
	var writers, readers sync.WaitGroup
	ids := make(chan uint64, 500)
	for n := range uint64(500) {
		ids <- n + 1
	}
	close(ids)
	for range 4 {
		writers.Go(func() {
			for id := range ids {
				times := int(id%13)*50 + 1
				if id%50 == 0 {
					times = 10_000 // for the disk
				}
				body := bytes.Repeat([]byte(fmt.Sprintf("%08d hunter22 ", id)), times)
				said{id: id, request: body, answer: body}.record(s)
			}
		})
	}
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				for _, id := range s.IDs() {
					e, err := s.Lookup(id)
					if err != nil {
						continue // gone meanwhile
					}
					if b := e.Request.Body; len(b) > 0 && !bytes.HasPrefix(b, []byte(fmt.Sprintf("%08d ********", id))) {
						t.Errorf("%d begins with %.20q", id, b)
					}
				}
				s.Search(t.Context(), "00000250")
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

func TestSecretsAreInNothingThatIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spill")
	s := store(t, Options{Dir: dir, Secrets: []string{"s3cr3t value", "tok"}})
	for _, size := range []int{0, 690, 1<<20 - 14, 1<<20 - 5, 1<<20 + 50_000, 3 << 20} {
		body := []byte(strings.Repeat("x", size) + "s3cr3t values3cr3t value tok " + strings.Repeat("y", 1000) + "s3cr3t valu")
		want := []byte(strings.Repeat("x", size) + "************************ tok " + strings.Repeat("y", 1000) + "s3cr3t valu")
		id := uint64(size + 1)
		said{id: id, request: body, answer: body, header: "X-Echo: my s3cr3t value\r\n", trailer: "X-End: s3cr3t value\r\n", query: "?q=s3cr3t%20value"}.record(s)
		e := lookup(t, s, id)
		if !bytes.Equal(e.Request.Body, want) || !bytes.Equal(e.Answer.Body, want) {
			t.Errorf("behind %d bytes the body ends in %q and %q", size, tail(e.Request.Body), tail(e.Answer.Body))
		}
		if e.Query != "?q=**************" || e.Request.Header[1].Value != "my ************" || e.Answer.Trailer[0].Value != "************" {
			t.Errorf("query %q, header %v, trailer %v", e.Query, e.Request.Header, e.Answer.Trailer)
		}
		if !strings.Contains(e.Request.Cut, "hide") {
			t.Errorf("cut is %q", e.Request.Cut)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if data, err := os.ReadFile(filepath.Join(dir, f.Name())); err != nil || bytes.Contains(data, []byte("s3cr3t value")) {
			t.Errorf("%s holds the secret, or %v", f.Name(), err)
		}
	}
	for i, slab := range s.arena.slabs {
		if bytes.Contains(slab, []byte("s3cr3t value")) {
			t.Errorf("slab %d holds the secret", i)
		}
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-1100):] }

func TestASecretThatComesLaterIsHiddenFromThenOn(t *testing.T) {
	s := store(t, Options{Secrets: []string{"hunter22"}})
	s.Hide("hunter2233", "other one")
	said{id: 1, request: []byte("hunter2233 hunter22 other one")}.record(s)
	if got := string(lookup(t, s, 1).Request.Body); got != "********** ******** *********" {
		t.Errorf("kept %q", got)
	}
}

func TestWhatRulesCannotLookIntoIsNotKept(t *testing.T) {
	for _, row := range []struct {
		fact   string
		rules  Options
		header string
		body   []byte
		want   string // of the body
		cut    string
	}{
		{"JSON", Options{JSON: []string{"a"}}, "", []byte(`{"a":1}`), `{"a":"***"}`, "hide parts"},
		{"a broken JSON", Options{JSON: []string{"a"}}, "", []byte(`{"b":1,"a":"sec`), `{"b":1,"a"`, "no JSON"},
		{"no JSON", Options{JSON: []string{"a"}}, "", []byte(`a=1`), `a=1`, ""},
		{"gRPC is no JSON", Options{JSON: []string{"a"}}, "content-type: application/grpc\r\n", []byte("\x00\x00\x00\x00\x02{}"), "\x00\x00\x00\x00\x02{}", ""},
		{"server-sent events", Options{JSON: []string{"a"}}, "Content-Type: text/event-stream\r\n", []byte("data: {\"a\":1}\n\n"), "data: {\"a\":\"***\"}\n\n", "hide parts"},
		{"a large JSON", Options{JSON: []string{"a"}}, "", []byte("[" + strings.Repeat("1,", 1<<20) + `1]`), "", "looked through"},
		{"compressed, with paths", Options{JSON: []string{"a"}}, "Content-Encoding: gzip\r\n", packed("{}"), "", "compressed"},
		{"compressed, with secrets that are not in it", Options{Secrets: []string{"hunter22"}}, "Content-Encoding: gzip\r\n", packed("plain"), string(packed("plain")), ""},
		{"compressed, with a secret in it", Options{Secrets: []string{"hunter22"}}, "Content-Encoding: gzip\r\n", packed("it is hunter22"), "", "compressed"},
		{"compressed in a way that is not known", Options{Secrets: []string{"hunter22"}}, "content-encoding: br\r\n", []byte("??"), "", "compressed"},
		{"compressed, without rules", Options{}, "Content-Encoding: br\r\n", []byte("??"), "??", ""},
		{"not compressed", Options{Secrets: []string{"hunter22"}}, "Content-Encoding: identity\r\n", []byte("x"), "x", ""},
	} {
		t.Run(row.fact, func(t *testing.T) {
			row.rules.Dir = filepath.Join(t.TempDir(), "spill")
			s := store(t, row.rules)
			said{id: 1, header: row.header, answer: row.body, trailer: "T: 1\r\n"}.record(s)
			m := lookup(t, s, 1).Answer
			if string(m.Body) != row.want || m.Size != int64(len(row.body)) || len(m.Trailer) != 1 {
				t.Errorf("kept %.100q of %d, trailer %v", m.Body, m.Size, m.Trailer)
			}
			if (row.cut == "") != (m.Cut == "") || !strings.Contains(m.Cut, row.cut) {
				t.Errorf("cut is %q", m.Cut)
			}
		})
	}
}

func TestASearchFindsTheNewestFirst(t *testing.T) {
	s := store(t, Options{Dir: filepath.Join(t.TempDir(), "spill")})
	far := append(bytes.Repeat([]byte("."), 3<<20-4), "needle"...)
	said{id: 1, request: []byte("a needle")}.record(s)
	said{id: 2, answer: []byte("nothing"), header: "X: needle\r\n"}.record(s)
	said{id: 3, answer: append(bytes.Repeat([]byte("."), blockSize-12), "needle"...)}.record(s) // across two blocks
	said{id: 4, answer: append(bytes.Repeat([]byte("."), 1<<20-3), "needle"...)}.record(s)      // across memory and disk
	said{id: 5, answer: far}.record(s)
	for id := range uint64(5) {
		lookup(t, s, id+1) // until all is on disk
	}
	if ids, all := s.Search(t.Context(), "needle"); !slices.Equal(ids, []uint64{5, 4, 3, 1}) || !all {
		t.Errorf("found %v, %t", ids, all)
	}
	if ids, all := s.Search(t.Context(), "haystack"); len(ids) != 0 || ids == nil || !all {
		t.Errorf("found %v, %t", ids, all)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if ids, all := s.Search(over, "needle"); len(ids) != 0 || all {
		t.Errorf("found %v, %t in no time", ids, all)
	}
}

func TestWhatIsDroppedIsNotKept(t *testing.T) {
	s := store(t, Options{Bytes: LeastBytes, Dir: filepath.Join(t.TempDir(), "spill")})
	for range 2000 {
		r := s.Begin()
		r.Take(event.RequestHeader, []byte("Host: h\r\n"))
		r.Take(event.RequestBody, make([]byte, 100_000))
		r.Drop()
	}
	s.Begin().Drop()
	if got := s.Stats(); got.Kept != 0 || got.Lost != 0 || got.Disk != 0 {
		t.Errorf("stats are %+v", got)
	}
}

func TestTooLittleMemoryIsAnError(t *testing.T) {
	if _, err := New(Options{Bytes: 1000}); err == nil || !strings.Contains(err.Error(), "turn it off") {
		t.Errorf("error is %v", err)
	}
}

func TestMemoryThatTheSystemRefusesIsNoReasonToFail(t *testing.T) {
	s, err := newStore(Options{}, source{func(int) ([]byte, error) { return nil, errors.New("no") }, heap.release})
	if err != nil {
		t.Fatal(err)
	}
	said{id: 1, request: []byte("x")}.record(s)
	if got := s.Stats(); got.Lost != 1 || got.Kept != 0 {
		t.Errorf("stats are %+v", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestARealStoreGivesItsMemoryBack(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	said{id: 1, request: []byte("x")}.record(s)
	if got := string(lookup(t, s, 1).Request.Body); got != "x" {
		t.Errorf("got %q", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	said{id: 2, request: []byte("late")}.record(s) // as a request may be that ends then
	if _, err := s.Lookup(2); !errors.Is(err, errClosed) {
		t.Errorf("error is %v", err)
	}
}
