package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/net/http2"
)

// A gRPC unary call through each engine, with a client and a container that allocate
// nothing, so that what is counted is the port's own.
func BenchmarkAnHTTP2Request(b *testing.B) {
	for _, general := range []bool{false, true} {
		b.Run(fmt.Sprintf("general %t", general), func(b *testing.B) {
			defer func(before bool) { onGeneral = before }(onGeneral)
			onGeneral = general
			m := iris()
			m.UPI = true
			p := open(b, Options{Models: []Model{m}})
			p.Route("iris-1", 1, []netip.AddrPort{scripted(b, answerAll)})
			conn := p.dial()
			send(b, conn, http2.ClientPreface)
			c := newH2Peer(b, conn)
			_ = c.WriteSettings()
			request := c.encode(":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/caraml.upi.v1.UniversalPredictionService/PredictValues", "content-type", "application/grpc", "te", "trailers", "user-agent", "grpc-go/1.83.2", "x", "y")
			again := c.encode(":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/caraml.upi.v1.UniversalPredictionService/PredictValues", "content-type", "application/grpc", "te", "trailers", "user-agent", "grpc-go/1.83.2", "x", "y")
			var out []byte
			in := make([]byte, 4096)
			id := uint32(1)
			b.ReportAllocs()
			for b.Loop() {
				out = h2Append(out[:0], len(request), http2.FrameHeaders, http2.FlagHeadersEndHeaders, id)
				out = append(out, request...)
				out = append(h2Append(out, 5, http2.FrameData, http2.FlagDataEndStream, id), "\x00\x00\x00\x00\x00"...)
				if id%1000 == 1 { // the connection's window
					out = append(h2Append(out, 4, http2.FrameWindowUpdate, 0, 0), 0, 0, 0x40, 0)
				}
				if _, err := conn.Write(out); err != nil {
					b.Fatal(err)
				}
				readStream(b, conn, in)
				request, id = again, id+2
			}
		})
	}
}

// readStream reads frames until a stream has ended.
func readStream(b *testing.B, conn net.Conn, buf []byte) {
	for n := 0; ; {
		m, err := conn.Read(buf[n:])
		if err != nil {
			b.Fatal(err)
		}
		n += m
		at := 0
		for n-at >= h2HeaderLen {
			length := int(buf[at])<<16 | int(buf[at+1])<<8 | int(buf[at+2])
			if n-at < h2HeaderLen+length {
				break
			}
			kind, flags := http2.FrameType(buf[at+3]), http2.Flags(buf[at+4])
			at += h2HeaderLen + length
			if kind == http2.FrameGoAway || kind == http2.FrameRSTStream {
				b.Fatalf("%s %x", kind, buf[:n])
			}
			if (kind == http2.FrameHeaders || kind == http2.FrameData) && flags.Has(http2.FlagDataEndStream) {
				return
			}
		}
		n = copy(buf, buf[at:n])
	}
}

// answerAll answers every request as soon as it is complete.
func answerAll(c *h2Peer) {
	first := c.encode(":status", "200", "content-type", "application/grpc")
	firstTrailer := c.encode("grpc-status", "0", "grpc-message", "")
	header := c.encode(":status", "200", "content-type", "application/grpc")
	trailer := c.encode("grpc-status", "0", "grpc-message", "")
	buf, n := make([]byte, 64<<10), 0
	var out []byte
	for {
		m, err := c.conn.Read(buf[n:])
		if err != nil {
			return
		}
		n += m
		at := 0
		out = out[:0]
		for n-at >= h2HeaderLen {
			length := int(buf[at])<<16 | int(buf[at+1])<<8 | int(buf[at+2])
			if n-at < h2HeaderLen+length {
				break
			}
			kind, flags := http2.FrameType(buf[at+3]), http2.Flags(buf[at+4])
			id := uint32(buf[at+7])<<8 | uint32(buf[at+8]) | uint32(buf[at+6])<<16
			at += h2HeaderLen + length
			switch {
			case kind == http2.FrameSettings && flags == 0:
				out = h2Append(out, 0, http2.FrameSettings, http2.FlagSettingsAck, 0)
			case kind == http2.FrameData && flags.Has(http2.FlagDataEndStream):
				out = append(h2Append(out, len(first), http2.FrameHeaders, http2.FlagHeadersEndHeaders, id), first...)
				out = append(h2Append(out, 5, http2.FrameData, 0, id), "\x00\x00\x00\x00\x00"...)
				out = append(h2Append(out, len(firstTrailer), http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersEndStream, id), firstTrailer...)
				if id%1000 == 1 { // the connection's window
					out = append(h2Append(out, 4, http2.FrameWindowUpdate, 0, 0), 0, 0, 0x40, 0)
				}
				first, firstTrailer = header, trailer
			}
		}
		n = copy(buf, buf[at:n])
		if _, err := c.conn.Write(out); err != nil {
			return
		}
	}
}
