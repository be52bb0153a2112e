package capture

import (
	"bytes"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// BenchmarkExchange is what keeping one exchange with bodies of 1 KB costs: in memory
// that the system gives page by page, and where older exchanges make room.
func BenchmarkExchange(b *testing.B) {
	for _, row := range []struct {
		name  string
		bytes int64
		full  bool
	}{{"fresh", 8 << 30, false}, {"full", DefaultBytes, true}} {
		b.Run(row.name, func(b *testing.B) {
			s, err := New(Options{Bytes: row.bytes})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			id := uint64(0)
			for row.full && s.Stats().Evicted == 0 {
				id++
				exchange(s, id)
			}
			b.ReportAllocs()
			for b.Loop() {
				id++
				exchange(s, id)
			}
		})
	}
}

var (
	requestLines = []byte("Host: iris-1.sample.localhost\r\nUser-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n")
	answerLines  = []byte("Content-Type: application/json\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 1024\r\n")
	kib          = bytes.Repeat([]byte("x"), 1<<10)
	arrived      = time.Unix(1, 0)
)

func exchange(s *Store, id uint64) {
	r := s.Begin()
	r.Take(event.RequestHeader, requestLines)
	r.Take(event.RequestBody, kib)
	r.Take(event.AnswerHeader, answerLines)
	r.Take(event.AnswerBody, kib)
	r.End(event.Exchange{
		Served:  event.Served{ID: id, Method: "POST", Host: "iris-1.sample.localhost", Path: "/v1/models/iris-1:predict", Proto: "HTTP/1.1", Status: 200, Replica: "172.17.0.2:8080", Took: 12345678},
		Model:   "iris-1",
		Arrived: arrived,
	})
}
