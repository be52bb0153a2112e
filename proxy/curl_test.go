package proxy

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// TestCurlGetsThrough has the client that users have speak to the whole port.
func TestCurlGetsThrough(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("NO CURL HERE: that a real one gets through is not tested")
	}
	p := front(t, iris(), func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/hints" {
			w.WriteHeader(http.StatusEarlyHints)
		}
		w.Header().Set(http.TrailerPrefix+"X-End", "yes")
		_, _ = fmt.Fprintf(w, "%s %s %d %v", r.Method, r.Proto, n, err)
	})
	for _, row := range []struct {
		fact  string
		args  string
		stdin string
		want  string // what the container saw, then version and status that curl saw
		says  string // in curl's own account
	}{
		{"HTTP/1.1", "", "", "GET HTTP/1.1 0 <nil> 1.1 200", ""},
		{"HTTP/1.0", "-0", "", "GET HTTP/1.1 0 <nil> 1 200", ""},
		{"HTTP/2 by prior knowledge", "--http2-prior-knowledge", "", "GET HTTP/2.0 0 <nil> 2 200", ""},
		{"a body over HTTP/2", "--http2-prior-knowledge --data-binary @-", "hello", "POST HTTP/2.0 5 <nil> 2 200", ""},
		{"a large body over HTTP/2", "--http2-prior-knowledge --data-binary @-", strings.Repeat("x", 3<<20), "POST HTTP/2.0 3145728 <nil> 2 200", ""},
		{"Upgrade: h2c, whose first request is still HTTP/1.1 to the container", "--http2", "", "GET HTTP/1.1 0 <nil> 2 200", "101 Switching Protocols"},
		{"Expect: 100-continue", "-H Expect:100-continue --data-binary @-", "hello", "POST HTTP/1.1 5 <nil> 1.1 200", "100 Continue"},
		{"a large body, before which curl waits by itself", "--data-binary @-", strings.Repeat("x", 3<<20), "POST HTTP/1.1 3145728 <nil> 1.1 200", "100 Continue"},
		{"an upload without a length", "-T -", "hello", "PUT HTTP/1.1 5 <nil> 1.1 200", ""},
		{"a 1xx of the container's", "hints", "", "GET HTTP/1.1 0 <nil> 1.1 200", "103 Early Hints"},
		{"a 1xx over HTTP/2", "hints --http2-prior-knowledge", "", "GET HTTP/2.0 0 <nil> 2 200", "HTTP/2 103"},
		{"HEAD", "--head -o /dev/null", "", " 1.1 200", ""},
		{"HEAD over HTTP/2", "--http2-prior-knowledge --head -o /dev/null", "", " 2 200", ""},
	} {
		t.Run(row.fact, func(t *testing.T) {
			args := strings.Fields(row.args)
			path := "/"
			if len(args) > 0 && args[0] == "hints" {
				path, args = "/hints", args[1:]
			}
			ctx, _ := contextWithCancel(t)
			cmd := exec.CommandContext(ctx, curl, append(args, "-sSv", "--noproxy", "*", "-w", " %{http_version} %{http_code}", "http://"+p.address+path)...)
			cmd.Stdin = strings.NewReader(row.stdin)
			var out, account strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &account
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v: %s", err, account.String())
			}
			if out.String() != row.want || !strings.Contains(account.String(), row.says) {
				t.Errorf("got %q, want %q with %q in:\n%s", out.String(), row.want, row.says, account.String())
			}
		})
	}
}
