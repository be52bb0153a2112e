package proxy

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func contextWithCancel(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx, cancel
}

// wsEcho echoes WebSocket messages until the client closes.
func wsEcho(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(1 << 20)
	for {
		kind, message, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if conn.Write(r.Context(), kind, message) != nil {
			return
		}
	}
}

func TestWebSocketsPass(t *testing.T) {
	p := front(t, iris(), wsEcho)
	ctx, _ := contextWithCancel(t)
	conn, _, err := websocket.Dial(ctx, "ws://"+p.address+"/ws", &websocket.DialOptions{HTTPClient: client(t, false)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(1 << 20)
	for _, message := range []string{"a", strings.Repeat("long ", 50_000), "last"} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := conn.Read(ctx); err != nil || string(got) != message {
			t.Fatalf("got %d bytes, %v", len(got), err)
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close: %v", err)
	}
	if told := p.told(); told.Status != 101 || told.BytesIn < 250_000 || told.BytesOut < 250_000 {
		t.Errorf("told %+v", told)
	}
}

func TestAWebSocketIsCutAtTheRevisionTimeout(t *testing.T) {
	m := iris()
	m.Timeout = 100 * time.Millisecond
	p := front(t, m, wsEcho)
	ctx, _ := contextWithCancel(t)
	conn, _, err := websocket.Dial(ctx, "ws://"+p.address+"/ws", &websocket.DialOptions{HTTPClient: client(t, false)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	if _, _, err := conn.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("got %v, want a cut connection", err)
	}
	if told := p.told(); told.Status != 101 || told.Error != errTimeout.Error() {
		t.Errorf("told %+v", told)
	}
}

func TestAnyProtocolCanBeUpgradedToAndHalfClosed(t *testing.T) {
	p := open(t, Options{Models: []Model{iris()}})
	p.Route("iris-1", 1, []netip.AddrPort{countingService(t)})
	conn := p.dial()
	// The first words come along with the request, before the 101.
	send(t, conn, "GET /count HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: Count/1\r\n\r\none ")
	read := bufio.NewReader(conn)
	res, err := http.ReadResponse(read, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("Upgrade") != "Count/1" {
		t.Fatalf("got %v, %v", res, err)
	}
	send(t, conn, "two three")
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(read); err != nil || string(got) != "one two three" {
		t.Errorf("got %q, %v", got, err)
	}
}

// countingService upgrades to a protocol that answers all that it got once the
// client has said its last word.
func countingService(t *testing.T) netip.AddrPort {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = ln.Close(); <-done })
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		read := bufio.NewReader(conn)
		if r, err := http.ReadRequest(read); err != nil || r.Header.Get("Upgrade") != "Count/1" {
			t.Errorf("got %v, %v", r, err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: Count/1\r\n\r\n")
		got, _ := io.ReadAll(read)
		_, _ = conn.Write(got)
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}
