package proxy

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"net/http"
	"runtime"
	"testing"
)

// zeros is a body of n bytes that needs no memory.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.n)
	clear(p[:n])
	z.n -= n
	return int(n), nil
}

const large = 64 << 20

// TestLargeBodiesPassInConstantMemory sends 64 MiB up and down; the heap stays
// below what a body that is kept in one place would need.
func TestLargeBodiesPassInConstantMemory(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprintf("HTTP/2 %t, known length %t", http2, known), func(t *testing.T) {
				p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
					n, _ := io.Copy(io.Discard, r.Body)
					if known {
						w.Header().Set("Content-Length", fmt.Sprint(n))
					}
					_, _ = io.Copy(w, &zeros{n})
				})
				r, _ := http.NewRequest("POST", "http://"+p.address, &zeros{large})
				if r.ContentLength = -1; known {
					r.ContentLength = large
				}
				res, err := client(t, http2).Do(r)
				if err != nil {
					t.Fatal(err)
				}
				sum, most := drainBody(t, res.Body)
				if t.Failed() {
					t.Fatalf("told %+v", p.told())
				}
				want := sha256.New()
				_, _ = io.Copy(want, &zeros{large})
				if string(sum.Sum(nil)) != string(want.Sum(nil)) {
					t.Error("the body came back changed")
				}
				if most > large/2 {
					t.Errorf("%d MiB of heap", most>>20)
				}
				if told := p.told(); told.BytesIn != large || told.BytesOut != large {
					t.Errorf("told %d in, %d out", told.BytesIn, told.BytesOut)
				}
			})
		}
	}
}

// drainBody reads the body, and looks now and then how large the heap is.
func drainBody(t *testing.T, body io.ReadCloser) (sum hash.Hash, most uint64) {
	t.Helper()
	sum = sha256.New()
	for {
		_, err := io.CopyN(sum, body, 8<<20)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		if err == io.EOF {
			_ = body.Close()
			return sum, most
		}
		if err != nil {
			t.Error(err)
			return sum, most
		}
	}
}
