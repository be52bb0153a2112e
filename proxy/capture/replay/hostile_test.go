package replay

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// hostile are requests that no capture of this program holds, as a file may have them.
func hostile() map[string]event.Exchange {
	all := map[string]event.Exchange{}
	for name, change := range map[string]func(x *event.Exchange){
		"nothing at all":        func(x *event.Exchange) { *x = event.Exchange{} },
		"a method of two lines": func(x *event.Exchange) { x.Method = "GET / HTTP/1.1\r\nX-Smuggled: 1\r\n\r\nGET" },
		"a path of two lines":   func(x *event.Exchange) { x.Path = "/ HTTP/1.1\r\nX-Smuggled: 1\r\n\r\n" },
		"a query of two lines":  func(x *event.Exchange) { x.Query = "?a HTTP/1.1\r\nX-Smuggled: 1\r\n\r\n" },
		"a host of two lines":   func(x *event.Exchange) { x.Host = "h\r\nX-Smuggled: 1" },
		"a header of two lines": func(x *event.Exchange) {
			x.Request.Header = []event.Field{{Name: "A", Value: "b\r\nX-Smuggled: 1"}, {Name: "B\r\nX-Smuggled", Value: "1"}}
		},
		"a trailer that frames": func(x *event.Exchange) {
			x.Request.Trailer = []event.Field{{Name: "Content-Length", Value: "9"}}
		},
		"no path":           func(x *event.Exchange) { x.Path = "" },
		"a size below none": func(x *event.Exchange) { x.Request.Size = -1 },
		"no encoding":       func(x *event.Exchange) { x.Path = "//%zz" },
	} {
		for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
			x := event.Exchange{Served: event.Served{Method: "GET", Path: "/", Host: "h", Proto: proto, Status: 200}}
			change(&x)
			all[name+" over "+proto] = x
		}
	}
	return all
}

func TestAHostileRequestIsAFailureOfItsOwnAndSmugglesNothing(t *testing.T) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Smuggled") != "" {
			t.Errorf("%s %s has a smuggled header", r.Method, r.URL)
		}
		_, _ = io.Copy(w, r.Body)
	}))
	server.Config.Protocols = protocols
	server.Start()
	defer server.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(base, 1)
	defer c.Close()
	for name, x := range hostile() {
		s, err := Run(t.Context(), Options{Requests: of([]event.Exchange{x}, nil), Send: c.Send, Timeout: 10 * time.Second})
		if err != nil || s.Answered+s.Failed+len(s.Unsent) != 1 {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
		if s.Answered == 1 && strings.Contains(name, "lines") && !strings.Contains(name, "host") {
			t.Errorf("%s was sent", name)
		}
	}
}

// Times that are centuries apart, or that go back, are no times at which anything breaks.
func TestHostileTimesAreBounded(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	all := recorded(0, 1<<62, -1<<62)
	all = append(all, event.Exchange{Served: event.Served{Status: 200}, Arrived: time.Unix(1<<40, 0)})
	send := func(_ context.Context, x event.Exchange) (event.Exchange, error) { return x, nil }
	for _, pace := range []Pace{{Speed: 1}, {Speed: 1e-300}, {Rate: 1e-300}} {
		s, err := Run(ctx, Options{Requests: of(all, nil), Send: send, Pace: pace})
		if err != nil || s.Sent > 1 || s.Ended {
			t.Errorf("%+v: %v, %d sent", pace, err, s.Sent)
		}
	}
	s, err := Run(t.Context(), Options{Requests: of(all, nil), Send: send, Pace: Pace{Speed: 1e300}})
	if err != nil || s.Sent != 4 {
		t.Errorf("%v, %d sent", err, s.Sent)
	}
}
