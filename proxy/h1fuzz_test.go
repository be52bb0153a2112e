package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// A header that this engine takes, net/http takes too, and reads the same from it.
func FuzzHeadersAreReadAsNetHTTPReadsThem(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST /a%2F/b?c=%zz HTTP/1.1\r\nhost: h:1\r\nuser-agent: x \r\nContent-Length: 3\r\nX-a:1\r\nx-A:\t2\r\n\r\nabc",
		"PUT /[x]!$&'()*+,;=:@ HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
		"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 00\r\n\r\n",
		"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: \r\n: x\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > h1HeaderLimit {
			return
		}
		var ours h1Request
		if ours.parse(slices.Clone(raw)) != h1Done {
			return
		}
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", raw, err)
		}
		ours.reset()
		kept := slices.Clone(raw)
		ours.parse(kept)
		target := string(ours.path) + string(ours.query)
		if string(ours.method) != theirs.Method || target != theirs.RequestURI || string(ours.host) != theirs.Host {
			t.Errorf("%s %s at %s, not %s %s at %s", ours.method, target, ours.host, theirs.Method, theirs.RequestURI, theirs.Host)
		}
		if string(ours.path) != theirs.URL.EscapedPath() || ours.length != theirs.ContentLength || ours.close != theirs.Close {
			t.Errorf("path %q, length %d, close %t; not %q, %d, %t", ours.path, ours.length, ours.close, theirs.URL.EscapedPath(), theirs.ContentLength, theirs.Close)
		}
		for _, f := range ours.fields {
			if !slices.Contains(theirs.Header[string(f.name)], string(f.value)) && string(f.name) != "Cache-Control" {
				t.Errorf("%q: %q is not in %q", f.name, f.value, theirs.Header)
			}
		}
		for name, values := range theirs.Header {
			n := 0
			for _, f := range ours.fields {
				if string(f.name) == name {
					n++
				}
			}
			if n > 0 && n != len(values) {
				t.Errorf("%d of %d values of %s", n, len(values), name)
			}
		}
		if rest, _ := io.ReadAll(theirs.Body); len(raw) < ours.at || (ours.length == 0 && len(rest) > 0) {
			t.Errorf("the header ends at %d of %d", ours.at, len(raw))
		}
	})
}

// An answer's header that this engine takes, net/http reads the same.
func FuzzAnswersAreReadAsNetHTTPReadsThem(f *testing.F) {
	for _, seed := range []string{ok2, chunked3, "HTTP/1.1 204\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 304 N\r\nConnection: close\r\nX: \xff\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > h1HeaderLimit {
			return
		}
		var ours h1Answer
		ours.reset()
		if ours.parse(slices.Clone(raw)) != h1Done {
			return
		}
		theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", raw, err)
		}
		if ours.status != theirs.StatusCode || ours.chunked != (len(theirs.TransferEncoding) > 0) {
			t.Errorf("%d, chunked %t; not %d, %t", ours.status, ours.chunked, theirs.StatusCode, len(theirs.TransferEncoding) > 0)
		}
		if h1HasBody(ours.status) && ours.length != theirs.ContentLength {
			t.Errorf("length %d, not %d", ours.length, theirs.ContentLength)
		}
	})
}

// readChunks reads a chunked body with this engine, of pieces as they come.
func readChunks(src io.Reader) (got []byte, trailers int, rest []byte, err error) {
	in := &h1Input{src: src, buf: make([]byte, h1BufferSize)}
	var b h1Body
	b.set(in, h1Chunked)
	for {
		piece, err := b.next()
		got = append(got, piece...)
		if errors.Is(err, io.EOF) {
			rest, _ = io.ReadAll(src)
			return got, len(b.trailers), slices.Concat(in.buffered(), rest), nil
		}
		if err != nil {
			return got, 0, nil, err
		}
	}
}

// A chunked body that this engine takes, net/http takes too, with the same end.
func FuzzChunksAreReadAsNetHTTPReadsThem(f *testing.F) {
	for _, seed := range []string{
		"3\r\nabc\r\n0\r\n\r\n", "3;a=b\r\nabc\r\n0;x\r\n\r\nrest", "A \r\n0123456789\r\n00\r\nX: y\r\nz: 1\r\n\r\nGET /", "3 ;x\r\nabc\r\n0\r\n\r\n",
		"3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "0\r\n\r", "ffffffffffffffff\r\n", "0000000000000003\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\nX y: z\r\n\r\n", "0x1\r\na\r\n0\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, trailers, rest, err := readChunks(bytes.NewReader(raw))
		slow, _, slowRest, slowErr := readChunks(iotest.OneByteReader(bytes.NewReader(raw)))
		if !bytes.Equal(got, slow) || !bytes.Equal(rest, slowRest) || (err == nil) != (slowErr == nil) {
			t.Fatalf("at once %q %q %v, byte by byte %q %q %v", got, rest, err, slow, slowRest, slowErr)
		}
		read := bufio.NewReaderSize(bytes.NewReader(raw), 64<<10)
		want, theirErr := io.ReadAll(httputil.NewChunkedReader(read))
		if err != nil {
			return // it may be the stricter one
		}
		if theirErr != nil {
			t.Fatalf("net/http refuses %q: %v", raw, theirErr)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if trailers == 0 {
			end := make([]byte, 2)
			_, _ = io.ReadFull(read, end)
			left, _ := io.ReadAll(read)
			if string(end) != "\r\n" || !bytes.Equal(left, rest) {
				t.Errorf("%q is left, not %q", rest, left)
			}
		}
	})
}

func TestChunksThatNetHTTPTakesAreTaken(t *testing.T) {
	for _, row := range []struct{ fact, raw, want string }{
		{"extensions", "3;a=\"b\";c\r\nabc\r\n1;\r\nd\r\n0;x\r\n\r\n", "abcd"},
		{"capitals, zeros and spaces behind", "00A  \r\n0123456789\r\n0 \r\n\r\n", "0123456789"},
		{"trailers", "1\r\na\r\n0\r\nX: 1\r\ny: 2\r\n\r\n", "a"},
		{"a chunk larger than the buffer", "20000\r\n" + strings.Repeat("x", 0x20000) + "\r\n0\r\n\r\n", strings.Repeat("x", 0x20000)},
	} {
		t.Run(row.fact, func(t *testing.T) {
			for _, src := range []io.Reader{strings.NewReader(row.raw), iotest.OneByteReader(strings.NewReader(row.raw)), iotest.HalfReader(strings.NewReader(row.raw))} {
				if got, _, rest, err := readChunks(src); err != nil || string(got) != row.want || len(rest) > 0 {
					t.Errorf("got %d bytes, %q left, %v", len(got), rest, err)
				}
			}
		})
	}
}
