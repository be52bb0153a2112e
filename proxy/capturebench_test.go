package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/caraml-dev/merlin-local/proxy/capture"
)

// BenchmarkCapture measures what a request with bodies of 1 KB each way costs with and
// without capture, on 8 connections, in turns so that the machine's moods hit both.
func BenchmarkCapture(b *testing.B) {
	const size = 1024
	text := strings.Repeat("x", size)
	at := echoer(b)
	for range 3 {
		for _, row := range []string{"off", "on"} {
			b.Run(row, func(b *testing.B) {
				o := Options{Models: []Model{iris()}}
				if row == "on" {
					o.Capture = newCapture(b, capture.Options{})
				}
				p := open(b, o)
				p.Route("iris-1", 1, []netip.AddrPort{at})
				ask := "POST /v1/models/iris-1:predict HTTP/1.1\r\nHost: iris-1.sample.localhost\r\nUser-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n" + text
				hammer(b, p.address, ask)
			})
		}
	}
}

// hammer sends the request on 8 connections, b.N times in all.
func hammer(b *testing.B, address, ask string) {
	const connections = 8
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for i := range connections {
		n := b.N / connections
		if i == 0 {
			n += b.N % connections
		}
		all.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			read := bufio.NewReader(conn)
			for range n {
				if _, err := io.WriteString(conn, ask); err != nil {
					b.Error(err)
					return
				}
				res, err := http.ReadResponse(read, nil)
				if err == nil {
					_, err = io.Copy(io.Discard, res.Body)
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// echoer is a container that answers with 1 KB to every request with a body of 1 KB.
func echoer(b *testing.B) netip.AddrPort {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ln.Close() })
	answer := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("y", 1024)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				read := bufio.NewReader(conn)
				for {
					if !skipHeader(read) {
						return
					}
					if _, err := read.Discard(1024); err != nil {
						return
					}
					if _, err := io.WriteString(conn, answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}

// skipHeader reads up to the empty line.
func skipHeader(read *bufio.Reader) bool {
	for {
		line, err := read.ReadSlice('\n')
		if err != nil || len(line) == 2 {
			return err == nil
		}
	}
}
