package proxy

import (
	"bufio"
	"encoding/base64"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func TestTheContainerIsSpokenToInTheClientsProtocol(t *testing.T) {
	p := front(t, iris(), echo)
	for _, row := range []struct {
		http2 bool
		want  string
	}{{false, "GET /a?b=1;c HTTP/1.1\nHost: "}, {true, "GET /a?b=1;c HTTP/2.0\nHost: "}} {
		res, err := client(t, row.http2).Get("http://" + p.address + "/a?b=1;c")
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, res); !strings.HasPrefix(got, row.want) {
			t.Errorf("got %q, want %q", got, row.want)
		}
	}
}

func TestThereIsNoFallbackToTheOtherProtocol(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	p.Route("iris-1", 1, []netip.AddrPort{script(t, "HTTP/1.1 200 OK\r\n\r\n")})
	res, err := client(t, true).Get("http://" + p.address)
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, res); res.StatusCode != 502 {
		t.Errorf("HTTP/2 to a container that has HTTP/1 only: got %d %q, want 502", res.StatusCode, got)
	}
}

func TestHTTP2TrailersPassBothWays(t *testing.T) {
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Announced")
		_, _ = w.Write(got)
		w.Header().Set("X-Announced", r.Trailer.Get("X-Sum"))
		w.Header().Set(http.TrailerPrefix+"X-Not", "2")
	})
	r, err := http.NewRequest("POST", "http://"+p.address+"/", io.NopCloser(strings.NewReader("abc")))
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{"X-Sum": {"42"}}
	res, err := client(t, true).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, res); got != "abc" {
		t.Errorf("body %q", got)
	}
	if res.Trailer.Get("X-Announced") != "42" || res.Trailer.Get("X-Not") != "2" {
		t.Errorf("trailers %v", res.Trailer)
	}
}

func TestHTTP2IsFullDuplex(t *testing.T) {
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		read := bufio.NewReader(r.Body)
		for {
			line, err := read.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(w, strings.ToUpper(line))
			_ = http.NewResponseController(w).Flush()
		}
	})
	body, writer := io.Pipe()
	r, _ := http.NewRequest("POST", "http://"+p.address+"/", body)
	res, err := client(t, true).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	read := bufio.NewReader(res.Body)
	for _, line := range []string{"a\n", "b\n", "c\n"} {
		_, _ = io.WriteString(writer, line)
		if got, err := read.ReadString('\n'); err != nil || got != strings.ToUpper(line) {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	_ = writer.Close()
	if rest, err := io.ReadAll(read); err != nil || len(rest) > 0 {
		t.Errorf("rest %q, %v", rest, err)
	}
	_ = res.Body.Close()
}

func TestAnHTTP2ClientThatResetsItsStreamReachesTheContainer(t *testing.T) {
	running, cancelled := make(chan struct{}), make(chan struct{})
	p := front(t, iris(), func(_ http.ResponseWriter, r *http.Request) {
		close(running)
		<-r.Context().Done()
		close(cancelled)
	})
	ctx, cancel := contextWithCancel(t)
	r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+p.address+"/", strings.NewReader("x"))
	ended := make(chan error, 1)
	go func() {
		res, err := client(t, true).Do(r)
		if err == nil {
			_ = res.Body.Close()
		}
		ended <- err
	}()
	hears(t, "the container runs", running)
	cancel()
	hears(t, "the container is cancelled", cancelled)
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	if told := p.told(); told.Status != 499 || told.Error != "client closed request" {
		t.Errorf("told %+v", told)
	}
}

func TestUpgradeToH2cIsAnsweredOnItsFirstStream(t *testing.T) {
	p := front(t, iris(), echo)
	for _, row := range []struct{ fact, request, want string }{
		{"GET", "GET /first HTTP/1.1\r\nHost: iris\r\n", "GET /first HTTP/1.1\nHost: iris\n"},
		{"with a body", "POST /first HTTP/1.1\r\nHost: iris\r\nContent-Length: 3\r\n", "POST /first HTTP/1.1\nHost: iris\n"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			conn := p.dial()
			settings := base64.RawURLEncoding.EncodeToString([]byte{0, 4, 0, 1, 0, 0})
			send(t, conn, row.request+"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "+settings+"\r\n\r\n")
			if strings.HasPrefix(row.request, "POST") {
				send(t, conn, "abc")
			}
			read := bufio.NewReader(conn)
			res, err := http.ReadResponse(read, nil)
			if err != nil || res.StatusCode != 101 || res.Header.Get("Upgrade") != "h2c" {
				t.Fatalf("got %v, %v; want 101", res, err)
			}
			send(t, conn, http2.ClientPreface)
			framer := http2.NewFramer(conn, read)
			_ = framer.WriteSettings()
			got := streamBody(t, framer, 1)
			if !strings.HasPrefix(got, row.want) || strings.Contains(got, "Upgrade") || strings.Contains(got, "Http2-Settings") {
				t.Errorf("the container got %q", got)
			}
			if strings.HasPrefix(row.request, "POST") && !strings.HasSuffix(got, "abc") {
				t.Errorf("the container got %q", got)
			}
			_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block("/second"), EndStream: true, EndHeaders: true})
			if got := streamBody(t, framer, 3); !strings.HasPrefix(got, "GET /second HTTP/2.0\n") {
				t.Errorf("second stream: the container got %q", got)
			}
		})
	}
}

func TestAnUpgradeToH2cThatCannotBeStaysHTTP1(t *testing.T) {
	p := front(t, iris(), echo)
	for _, row := range []struct{ fact, request string }{
		{"no settings", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n"},
		{"broken settings", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: %\r\n\r\n"},
		{"a body of unknown length", "POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAQAAQAA\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			res := parse(t, p.raw(row.request))
			if got := body(t, res); res.StatusCode != 200 || strings.Contains(got, "Upgrade") {
				t.Errorf("got %d %q", res.StatusCode, got)
			}
		})
	}
}

// block is the header block of a GET.
func block(path string) []byte {
	var b strings.Builder
	e := hpack.NewEncoder(&b)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "iris"}, {":path", path}} {
		_ = e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return []byte(b.String())
}

// streamBody reads frames until the stream ends, and returns its data.
func streamBody(t *testing.T, framer *http2.Framer, stream uint32) string {
	t.Helper()
	var data []byte
	for {
		f, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.DataFrame:
			data = append(data, f.Data()...)
		case *http2.GoAwayFrame, *http2.RSTStreamFrame:
			t.Fatalf("got %v", f)
		}
		if h := f.Header(); h.StreamID == stream && h.Flags.Has(http2.FlagDataEndStream) && (h.Type == http2.FrameData || h.Type == http2.FrameHeaders) {
			return string(data)
		}
	}
}
