package proxy

import (
	"bufio"
	"net"
	"net/netip"
	"testing"
)

// BenchmarkRelay measures what a request costs between two ends that cost nothing to
// speak of, and what it allocates, on either engine.
func BenchmarkRelay(b *testing.B) {
	for _, row := range []struct {
		name    string
		general bool
	}{{"fast", false}, {"general", true}} {
		b.Run(row.name, func(b *testing.B) {
			defer func(was bool) { onGeneral = was }(onGeneral)
			onGeneral = row.general
			p := open(b, Options{Models: []Model{iris()}})
			p.Route("iris-1", 1, []netip.AddrPort{parrot(b)})
			ask := []byte("POST /v1/models/iris-1:predict HTTP/1.1\r\nHost: iris-1.sample.localhost\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n1234")
			conn, err := net.Dial("tcp", p.address)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			read := bufio.NewReader(conn)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := conn.Write(ask); err != nil {
					b.Fatal(err)
				}
				if !skipAnswer(read) {
					b.Fatal("no answer")
				}
			}
		})
	}
}

// skipAnswer reads an answer with the body "ok".
func skipAnswer(read *bufio.Reader) bool {
	for {
		line, err := read.ReadSlice('\n')
		if err != nil {
			return false
		}
		if len(line) == 2 {
			n, err := read.Discard(2)
			return n == 2 && err == nil
		}
	}
}

// parrot is a container that allocates nothing: it answers whatever ends in "1234".
func parrot(b *testing.B) netip.AddrPort {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ln.Close() })
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok")
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				buf := make([]byte, 4<<10)
				for n := 0; ; {
					m, err := conn.Read(buf[n:])
					if err != nil {
						return
					}
					if n += m; n >= 4 && string(buf[n-4:n]) == "1234" {
						if _, err := conn.Write(answer); err != nil {
							return
						}
						n = 0
					}
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}

// BenchmarkHeader measures the parser alone.
func BenchmarkHeader(b *testing.B) {
	raw := []byte("POST /v1/models/iris-1:predict HTTP/1.1\r\nHost: iris-1.sample.localhost\r\nUser-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n")
	var r h1Request
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		r.reset()
		if r.parse(raw) != h1Done {
			b.Fatal("not understood")
		}
	}
}
