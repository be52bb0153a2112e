package proxy

import (
	"bytes"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
)

// h2Failures are containers that do not answer as they should, and what they send.
func h2Failures() map[string]func(c *h2Peer, id uint32) {
	data := func(c *h2Peer, id uint32, text string) { _ = c.WriteData(id, false, []byte(text)) }
	begin := func(c *h2Peer, id uint32, more ...string) {
		c.head(id, false, append([]string{":status", "200", "content-type", "a/b"}, more...)...)
		data(c, id, "abc")
	}
	return map[string]func(c *h2Peer, id uint32){
		"502 closes":              func(*h2Peer, uint32) {},
		"502 resets":              func(c *h2Peer, id uint32) { _ = c.WriteRSTStream(id, http2.ErrCodeInternal); c.wait() },
		"502 goes away":           func(c *h2Peer, _ uint32) { _ = c.WriteGoAway(0, http2.ErrCodeInternal, []byte("why")); c.wait() },
		"502 no status":           func(c *h2Peer, id uint32) { c.head(id, false, "x", "y"); c.wait() },
		"502 a status in letters": func(c *h2Peer, id uint32) { c.head(id, false, ":status", "ok"); c.wait() },
		"502 101":                 func(c *h2Peer, id uint32) { c.head(id, false, ":status", "101"); c.wait() },
		"502 a 1xx and no more":   func(c *h2Peer, id uint32) { c.head(id, true, ":status", "103"); c.wait() },
		"502 capitals in a name":  func(c *h2Peer, id uint32) { c.head(id, false, ":status", "200", "X-Y", "z"); c.wait() },
		"502 a line in a value":   func(c *h2Peer, id uint32) { c.head(id, false, ":status", "200", "x", "a\r\nb: c"); c.wait() },
		"502 DATA without header": func(c *h2Peer, id uint32) { data(c, id, "abc"); c.wait() },
		"502 a promise": func(c *h2Peer, id uint32) {
			_ = c.WritePushPromise(http2.PushPromiseParam{StreamID: id, PromiseID: 2, EndHeaders: true})
			c.wait()
		},
		"502 a header that is no HPACK": func(c *h2Peer, id uint32) {
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff}, EndHeaders: true})
			c.wait()
		},
		"502 a frame too large":               func(c *h2Peer, id uint32) { _ = c.WriteRawFrame(http2.FrameData, 0, id, make([]byte, 1<<20)); c.wait() },
		"502 a stream nobody asked for":       func(c *h2Peer, _ uint32) { c.head(99, true, ":status", "200"); c.wait() },
		"INTERNAL_ERROR a status below 100":   func(c *h2Peer, id uint32) { c.head(id, false, ":status", "099"); c.wait() },
		"INTERNAL_ERROR closes amid its body": func(c *h2Peer, id uint32) { begin(c, id) },
		"INTERNAL_ERROR resets amid its body": func(c *h2Peer, id uint32) { begin(c, id); _ = c.WriteRSTStream(id, http2.ErrCodeInternal); c.wait() },
		"INTERNAL_ERROR less than its length": func(c *h2Peer, id uint32) {
			begin(c, id, "content-length", "9")
			_ = c.WriteData(id, true, nil)
			c.wait()
		},
		"INTERNAL_ERROR more than its length": func(c *h2Peer, id uint32) { begin(c, id, "content-length", "5"); data(c, id, "abc"); c.wait() },
		"INTERNAL_ERROR a second header":      func(c *h2Peer, id uint32) { begin(c, id); c.head(id, false, ":status", "200"); c.wait() },
		"INTERNAL_ERROR beyond the window":    func(c *h2Peer, id uint32) { begin(c, id); overrun(c, id); c.wait() },
		"INTERNAL_ERROR a padding of all": func(c *h2Peer, id uint32) {
			begin(c, id)
			_ = c.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, id, []byte{9})
			c.wait()
		},
		"INTERNAL_ERROR a window of nothing": func(c *h2Peer, id uint32) {
			begin(c, id)
			_ = c.WriteRawFrame(http2.FrameWindowUpdate, 0, id, make([]byte, 4))
			c.wait()
		},
		"INTERNAL_ERROR a header that is cut": func(c *h2Peer, id uint32) {
			begin(c, id)
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: id})
			data(c, id, "abc")
			c.wait()
		},
		"INTERNAL_ERROR a window that overflows": func(c *h2Peer, id uint32) { begin(c, id); _ = c.WriteWindowUpdate(0, 1<<31-1); c.wait() },
	}
}

// overrun sends more than any window of the port's.
func overrun(c *h2Peer, id uint32) {
	for range 8 << 20 / (16 << 10) {
		if c.WriteData(id, false, make([]byte, 16<<10)) != nil {
			return
		}
	}
}

func TestAnHTTP2ContainerThatFailsFailsItsRequestAlone(t *testing.T) {
	for fact, do := range h2Failures() {
		t.Run(fact, func(t *testing.T) {
			want, _, _ := strings.Cut(fact, " ")
			if onGeneral && slices.Contains([]string{"502 101", "502 DATA without header", "502 a stream nobody asked for", "INTERNAL_ERROR a window of nothing", "INTERNAL_ERROR beyond the window"}, fact) {
				t.Skip("net/http is more patient")
			}
			p := open(t, Options{Models: session()})
			p.Route("iris-1", 3, []netip.AddrPort{scripted(t, func(c *h2Peer) {
				if f := c.request(); f != nil {
					do(c, f.StreamID)
				}
			})})
			p.Route("churn-7", 1, []netip.AddrPort{serve(t, echo)})
			c := p.speak()
			c.head(1, true, ":method", "GET", ":scheme", "http", ":authority", "iris-1.sample.localhost", ":path", "/")
			got := c.answer(1)
			if got.reset != want && (got.status != want || got.header["x-content-type-options"] != "nosniff") {
				if got.status != "200" || got.reset == "" || want != "INTERNAL_ERROR" {
					t.Errorf("got %+v", got)
				}
			}
			told := p.told()
			if told.Error == "" || told.model != "iris-1" || told.revision != 3 {
				t.Errorf("told %+v", told)
			}
			c.head(3, true, ":method", "GET", ":scheme", "http", ":authority", "churn-7.other.localhost", ":path", "/")
			if got := c.answer(3); got.status != "200" {
				t.Errorf("the next one got %+v", got)
			}
			await(t, "nothing is left", func() bool { return p.Load("iris-1") == (Load{}) && p.Load("churn-7") == (Load{}) })
		})
	}
}

func TestAContainerThatGoesAwayServesItsStreamsAndGetsNoOther(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	away, finish := make(chan struct{}), make(chan struct{})
	p.Route("iris-1", 1, []netip.AddrPort{scripted(t, func(c *h2Peer) {
		f := c.request()
		if f == nil {
			return
		}
		id, path := f.StreamID, f.PseudoValue("path")
		if path == "/first" {
			_ = c.WriteGoAway(id, http2.ErrCodeNo, nil)
			_ = c.WritePing(false, [8]byte{})
			if _, ok := c.await(func(f http2.Frame) bool { _, ok := f.(*http2.PingFrame); return ok }); ok {
				close(away) // the port has read it
			}
			<-finish
		}
		c.head(id, true, ":status", "200", "x-path", path)
		c.wait()
	})})
	c := p.speak()
	c.ask(1, true, "GET", "/first")
	hears(t, "the container goes away", away)
	c.ask(3, true, "GET", "/second")
	if got := c.answer(3); got.header["x-path"] != "/second" {
		t.Errorf("got %+v", got)
	}
	close(finish)
	if got := c.answer(1); got.header["x-path"] != "/first" {
		t.Errorf("got %+v", got)
	}
}

func TestAClientThatResetsReachesTheContainerInEveryState(t *testing.T) {
	for _, row := range []struct {
		fact   string
		set    func(*Model)
		reach  func(t *testing.T, p *port, c *h2Peer, runs <-chan string) // the state, of stream 1
		status int
		code   http2.ErrCode // what the container gets; NO_ERROR: nothing
	}{
		{"held", nil, func(t *testing.T, p *port, c *h2Peer, _ <-chan string) {
			p.Hold("iris-1")
			c.ask(1, true, "GET", "/")
			await(t, "it is held", func() bool { return p.Load("iris-1").Held == 1 })
		}, 499, 0},
		{"waiting for its turn", func(m *Model) { m.ContainerConcurrency = 1 }, func(t *testing.T, p *port, c *h2Peer, runs <-chan string) {
			go p.speak().ask(1, true, "GET", "/other")
			await(t, "one runs", func() bool { return p.Load("iris-1").Running == 1 })
			c.ask(1, true, "GET", "/")
			await(t, "it waits", func() bool { return p.Load("iris-1").Waiting == 1 })
		}, 499, 0},
		{"while it sends its body", nil, func(t *testing.T, p *port, c *h2Peer, runs <-chan string) {
			c.ask(1, false, "POST", "/")
			hears(t, "it runs", runs)
			_ = c.WriteData(1, false, []byte("abc"))
		}, 499, http2.ErrCodeCancel},
		{"before the answer", nil, func(t *testing.T, p *port, c *h2Peer, runs <-chan string) {
			c.ask(1, true, "GET", "/")
			hears(t, "it runs", runs)
		}, 499, http2.ErrCodeCancel},
		{"amid the answer", nil, func(t *testing.T, p *port, c *h2Peer, runs <-chan string) {
			c.ask(1, true, "GET", "/begin")
			c.await(func(f http2.Frame) bool { _, ok := f.(*http2.MetaHeadersFrame); return ok })
		}, 200, http2.ErrCodeCancel},
	} {
		for _, leaves := range []bool{false, true} {
			t.Run(row.fact+map[bool]string{false: ", its stream", true: ", its connection"}[leaves], func(t *testing.T) {
				m := iris()
				if row.set != nil {
					row.set(&m)
				}
				codes, runs := make(chan http2.ErrCode, 4), make(chan string, 4)
				p := open(t, Options{Models: []Model{m}})
				p.Route("iris-1", 1, []netip.AddrPort{scripted(t, func(c *h2Peer) {
					f := c.request()
					if f == nil {
						return
					}
					runs <- f.PseudoValue("path")
					if f.PseudoValue("path") == "/begin" {
						c.head(f.StreamID, false, ":status", "200", "content-type", "a/b")
					}
					f2, ok := c.await(func(f http2.Frame) bool { _, ok := f.(*http2.RSTStreamFrame); return ok })
					if !ok {
						codes <- http2.ErrCodeCancel // as good
						return
					}
					codes <- f2.(*http2.RSTStreamFrame).ErrCode
				})})
				c := p.speak()
				row.reach(t, p, c, runs)
				if leaves {
					_ = c.conn.Close()
				} else {
					_ = c.WriteRSTStream(1, http2.ErrCodeCancel)
				}
				told := p.told()
				if told.Status != row.status || told.Error != errGone.Error() {
					t.Errorf("told %+v", told)
				}
				if row.code != 0 {
					if got := hears(t, "the container is told", codes); got != row.code {
						t.Errorf("the container got %s", got)
					}
				}
			})
		}
	}
}

func TestAnHTTP2ConnectionThatBreaksTheRulesIsEndedWithWhy(t *testing.T) {
	if onGeneral {
		t.Skip("net/http's own affair")
	}
	raw := func(kind http2.FrameType, flags http2.Flags, stream uint32, payload string) func(c *h2Peer) {
		return func(c *h2Peer) { _ = c.WriteRawFrame(kind, flags, stream, []byte(payload)) }
	}
	for _, row := range []struct {
		fact string
		do   func(c *h2Peer)
		code http2.ErrCode
	}{
		{"a frame larger than was allowed", func(c *h2Peer) { _ = c.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 2<<20)) }, http2.ErrCodeFrameSize},
		{"HEADERS on stream 0", raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 0, ""), http2.ErrCodeProtocol},
		{"HEADERS on an even stream", func(c *h2Peer) { c.ask(2, true, "GET", "/") }, http2.ErrCodeProtocol},
		{"HEADERS that are no HPACK", raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, "\xff\xff\xff\xff\xff\xff"), http2.ErrCodeCompression},
		{"HEADERS padded beyond their end", raw(http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, 1, "\x09a"), http2.ErrCodeProtocol},
		{"DATA on stream 0", raw(http2.FrameData, 0, 0, "x"), http2.ErrCodeProtocol},
		{"DATA on a stream that is not begun", raw(http2.FrameData, 0, 7, "x"), http2.ErrCodeProtocol},
		{"RST_STREAM on a stream that is not begun", raw(http2.FrameRSTStream, 0, 7, "\x00\x00\x00\x00"), http2.ErrCodeProtocol},
		{"RST_STREAM of three bytes", raw(http2.FrameRSTStream, 0, 1, "\x00\x00\x00"), http2.ErrCodeFrameSize},
		{"WINDOW_UPDATE on a stream that is not begun", raw(http2.FrameWindowUpdate, 0, 7, "\x00\x00\x00\x01"), http2.ErrCodeProtocol},
		{"WINDOW_UPDATE of nothing", raw(http2.FrameWindowUpdate, 0, 0, "\x00\x00\x00\x00"), http2.ErrCodeProtocol},
		{"WINDOW_UPDATE beyond what a window may be", raw(http2.FrameWindowUpdate, 0, 0, "\x7f\xff\xff\xff"), http2.ErrCodeFlowControl},
		{"SETTINGS of five bytes", raw(http2.FrameSettings, 0, 0, "12345"), http2.ErrCodeFrameSize},
		{"SETTINGS on a stream", raw(http2.FrameSettings, 0, 1, ""), http2.ErrCodeProtocol},
		{"SETTINGS of a window that may not be", raw(http2.FrameSettings, 0, 0, "\x00\x04\xff\xff\xff\xff"), http2.ErrCodeFlowControl},
		{"PING of seven bytes", raw(http2.FramePing, 0, 0, "1234567"), http2.ErrCodeFrameSize},
		{"PUSH_PROMISE", raw(http2.FramePushPromise, http2.FlagPushPromiseEndHeaders, 1, "\x00\x00\x00\x02"), http2.ErrCodeProtocol},
		{"CONTINUATION of nothing", raw(http2.FrameContinuation, 0, 1, ""), http2.ErrCodeProtocol},
		{"another frame in a header", func(c *h2Peer) {
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.encode(":method", "GET")})
			_ = c.WritePing(false, [8]byte{})
		}, http2.ErrCodeProtocol},
		{"more than the connection's window", func(c *h2Peer) {
			for id := uint32(1); id < 100; id += 2 {
				c.ask(id, false, "POST", "/")
				for range 15 {
					if c.WriteData(id, false, make([]byte, 16<<10)) != nil {
						return
					}
				}
			}
		}, http2.ErrCodeFlowControl},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := open(t, Options{Models: []Model{iris()}}) // nobody takes a body
			c := p.speak()
			go row.do(c)
			code, ended := endOf(c.Framer)
			if !ended || code != row.code {
				t.Errorf("ended %t with %s, want %s", ended, code, row.code)
			}
			await(t, "nothing is left", func() bool { return p.Load("iris-1") == (Load{}) })
		})
	}
}

func TestAnHTTP2StreamThatBreaksTheRulesIsResetAlone(t *testing.T) {
	if onGeneral {
		t.Skip("net/http's own affair")
	}
	for _, row := range []struct {
		fact string
		do   func(c *h2Peer)
		code http2.ErrCode
	}{
		{"a body longer than its length", func(c *h2Peer) {
			c.ask(1, false, "POST", "/", "content-length", "1")
			_ = c.WriteData(1, false, []byte("abc"))
		}, http2.ErrCodeProtocol},
		{"a body shorter than its length", func(c *h2Peer) {
			c.ask(1, false, "POST", "/", "content-length", "9")
			_ = c.WriteData(1, true, []byte("abc"))
		}, http2.ErrCodeProtocol},
		{"DATA behind its end", func(c *h2Peer) {
			c.ask(1, true, "POST", "/")
			_ = c.WriteData(1, true, []byte("abc"))
		}, http2.ErrCodeStreamClosed},
		{"a header behind its end", func(c *h2Peer) {
			c.ask(1, true, "POST", "/")
			c.head(1, true, "x", "y")
		}, http2.ErrCodeStreamClosed},
		{"a trailer that ends nothing", func(c *h2Peer) {
			c.ask(1, false, "POST", "/")
			c.head(1, false, "x", "y")
		}, http2.ErrCodeProtocol},
		{"a pseudo header in a trailer", func(c *h2Peer) {
			c.ask(1, false, "POST", "/")
			c.head(1, true, ":path", "y")
		}, http2.ErrCodeProtocol},
		{"a window of nothing", func(c *h2Peer) {
			c.ask(1, true, "GET", "/")
			_ = c.WriteRawFrame(http2.FrameWindowUpdate, 0, 1, make([]byte, 4))
		}, http2.ErrCodeProtocol},
		{"a window wider than it may be", func(c *h2Peer) {
			c.ask(1, true, "GET", "/")
			_ = c.WriteWindowUpdate(1, 1<<31-1)
		}, http2.ErrCodeFlowControl},
		{"more than its window", func(c *h2Peer) {
			c.ask(1, false, "POST", "/")
			for range 66 {
				if c.WriteData(1, false, make([]byte, 16<<10)) != nil {
					return
				}
			}
		}, http2.ErrCodeFlowControl},
	} {
		t.Run(row.fact, func(t *testing.T) {
			p := open(t, Options{Models: session()})
			p.Route("churn-7", 1, []netip.AddrPort{serve(t, echo)})
			c := p.speak()
			row.do(c)
			got := c.answer(1)
			if got.reset != row.code.String() {
				t.Errorf("got %+v, want %s", got, row.code)
			}
			c.head(3, true, ":method", "GET", ":scheme", "http", ":authority", "churn-7.other.localhost", ":path", "/")
			if got := c.answer(3); got.status != "200" {
				t.Errorf("the next one got %+v", got)
			}
		})
	}
}

func TestFloodsOfHTTP2AreSurvived(t *testing.T) {
	p := front(t, iris(), echo)
	for _, row := range []struct {
		fact string
		do   func(c *h2Peer, i int) error
	}{
		{"PING", func(c *h2Peer, _ int) error { return c.WritePing(false, [8]byte{}) }},
		{"SETTINGS", func(c *h2Peer, _ int) error { return c.WriteSettings() }},
		{"empty DATA", func(c *h2Peer, i int) error {
			if i == 0 {
				c.ask(1, false, "POST", "/")
			}
			return c.WriteData(1, false, nil)
		}},
		{"streams that are malformed", func(c *h2Peer, i int) error {
			c.head(uint32(2*i+1), true, ":method", "GET")
			return nil
		}},
		{"streams that are too many", func(c *h2Peer, i int) error {
			c.ask(uint32(2*i+1), false, "POST", "/")
			return nil
		}},
		{"streams that are reset by what they send", func(c *h2Peer, i int) error {
			c.ask(uint32(2*i+1), true, "GET", "/")
			return c.WriteRawFrame(http2.FrameWindowUpdate, 0, uint32(2*i+1), make([]byte, 4))
		}},
		{"frames that nobody knows", func(c *h2Peer, _ int) error { return c.WriteRawFrame(99, 0, 0, bytes.Repeat([]byte("x"), 99)) }},
	} {
		t.Run(row.fact, func(t *testing.T) {
			c := p.speak()
			sent := make(chan struct{})
			go func() { // without reading
				defer close(sent)
				for i := range 20_000 {
					if row.do(c, i) != nil {
						return
					}
				}
			}()
			next := p.speak()
			next.ask(1, true, "GET", "/")
			if got := next.answer(1); got.status != "200" {
				t.Errorf("another connection got %+v", got)
			}
			go func() { _, _ = io.Copy(io.Discard, c.conn) }()
			hears(t, "all is sent", sent)
			_ = c.conn.Close()
			await(t, "nothing is left", func() bool { return p.Load("iris-1") == (Load{}) })
		})
	}
}

// The one place where net/http tries again and the relay does not, which keeps nothing
// of a request that has gone on.
func TestARequestThatItsHTTP2ContainerRefusesIsNotTriedAgain(t *testing.T) {
	var asked atomic.Int64
	p := open(t, Options{Models: []Model{iris()}})
	p.Route("iris-1", 1, []netip.AddrPort{scripted(t, func(c *h2Peer) {
		for f := c.request(); f != nil; f = c.request() {
			if asked.Add(1) == 1 {
				_ = c.WriteRSTStream(f.StreamID, http2.ErrCodeRefusedStream)
				continue
			}
			c.head(f.StreamID, true, ":status", "204")
		}
	})})
	c := p.speak()
	c.ask(1, true, "GET", "/")
	want := "502"
	if onGeneral {
		want = "204"
	}
	if got := c.answer(1); got.status != want {
		t.Errorf("got %+v, want %s", got, want)
	}
	c.ask(3, true, "GET", "/")
	if got := c.answer(3); got.status != "204" {
		t.Errorf("the next one got %+v", got)
	}
}
