package proxy

import (
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"
)

func FuzzAnyHostAndPathFindsAModelOrA404(f *testing.F) {
	for _, host := range []string{"iris-1.sample.localhost", "IRIS.sample.localhost:80", "[::1]:8080", "[", "a:b:c", ":", "..", "\x00", "iris-1.sample.localhost:", "[iris-1.sample.localhost]"} {
		f.Add(host, "/v1/models/iris-1:predict")
		f.Add(host, "/v1/predict%2F")
	}
	f.Add("", "")
	s := New(Options{Models: session()})
	f.Fuzz(func(t *testing.T, host, path string) {
		x := s.arrive("GET", host, path, "HTTP/1.1")
		refused := x.find()
		if (refused == nil) == (x.model == nil) || (refused != nil && refused.status != 404) {
			t.Fatalf("%q %q: model %v, refused %+v", host, path, x.model, refused)
		}
		if refused != nil {
			return
		}
		if x.path != path && !strings.HasPrefix(x.path, "/v1/models/"+x.model.FullName+":predict") {
			t.Errorf("%q %q goes to %q", host, path, x.path)
		}
		if bare := bareHost(host); !strings.HasPrefix(bare, x.model.Name) {
			t.Errorf("%q is %s", bare, x.model.ID)
		}
	})
}

// A header line that net/http took in must be one that it can send.
func FuzzForwardedHeadersStaySendable(f *testing.F) {
	f.Add("1.2.3.4, ::1", "front", "https", "keep-alive, X-Forwarded-For", "127.0.0.1:1", true)
	f.Add(",,,", "", "", "", "", false)
	f.Add("", ";\"", "a b", ",", "[::1]:80", true)
	f.Fuzz(func(t *testing.T, hops, host, proto, connection, client string, deployed bool) {
		for _, value := range []string{hops, host, proto, connection, client} {
			if !httpguts.ValidHeaderFieldValue(value) || !utf8.ValidString(value) {
				t.Skip("it would not have come this far")
			}
		}
		m := iris()
		m.Deployed = deployed
		in, err := http.NewRequest("GET", "http://h/", nil)
		if err != nil {
			t.Fatal(err)
		}
		in.RemoteAddr = client
		for name, value := range map[string]string{"X-Forwarded-For": hops, "X-Forwarded-Host": host, "X-Forwarded-Proto": proto, "Connection": connection} {
			in.Header[name] = []string{value}
		}
		out := in.Clone(t.Context())
		forwardHeaders(&httputil.ProxyRequest{In: in, Out: out}, &exchange{model: newModel(m, nil)})
		for name, values := range out.Header {
			for _, value := range values {
				if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
					t.Errorf("%q: %q", name, value)
				}
			}
		}
		if n := len(out.Header["Forwarded"]); n > 1 || len(out.Header["X-Forwarded-For"]) > 1 {
			t.Errorf("header %v", out.Header)
		}
	})
}
