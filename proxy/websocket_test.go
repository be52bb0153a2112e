package proxy

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/coder/websocket"
)

// webSocket opens one through the whole port.
func webSocket(t *testing.T, p *port) *websocket.Conn {
	t.Helper()
	ctx, _ := contextWithCancel(t)
	conn, _, err := websocket.Dial(ctx, "ws://"+p.address+"/ws", &websocket.DialOptions{HTTPClient: client(t, false)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func says(t *testing.T, conn *websocket.Conn, text, want string) {
	t.Helper()
	ctx, _ := contextWithCancel(t)
	if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if _, got, err := conn.Read(ctx); err != nil || string(got) != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// wsNamed answers each message with its own name and that message.
func wsNamed(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil || conn.Write(r.Context(), kind, append([]byte(name+" "), message...)) != nil {
				return
			}
		}
	}
}

func TestAWebSocketStaysWithItsRevision(t *testing.T) {
	p := front(t, iris(), wsNamed("old"))
	old := webSocket(t, p)
	says(t, old, "a", "old a")
	p.Route("iris-1", 2, []netip.AddrPort{serve(t, wsNamed("new"))})
	says(t, webSocket(t, p), "b", "new b")
	says(t, old, "c", "old c")

	drained := make(chan error, 1)
	go func() { drained <- p.Drain(t.Context(), "iris-1") }()
	if err := old.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if err := hears(t, "it is drained", drained); err != nil {
		t.Error(err)
	}
}

func TestAWebSocketFinishesInADrain(t *testing.T) {
	p := front(t, iris(), wsNamed("it"))
	conn := webSocket(t, p)
	says(t, conn, "a", "it a")
	p.stop()
	<-p.stopping
	says(t, conn, "b", "it b")
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	p.close()
	if len(p.notices) > 0 {
		t.Errorf("it was cut: %v", <-p.notices)
	}
	if told := p.told(); told.Status != 101 || told.Error != "" {
		t.Errorf("told %+v", told)
	}
}
