package proxy

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"
)

// h2Request is a request's header, in parts that routing, probes and rewriting ask
// for. It is used again for the next request of its connection.
type h2Request struct {
	method, scheme, authority, path string
	pseudo                          int // how many fields they are
	fields                          []hpack.HeaderField

	escaped, query string // of path
	length         int64  // -1 where there is none
	lengths        int
	expects        bool   // 100-continue
	agent          string // User-Agent
	networkProbe   string
	kubeletProbe   string
	networkHash    string
	originalHost   string
	origin         origin
	refused        *refusal // of what only HTTP/1 may have
}

// parse takes a request's fields in; it is false where they are malformed.
func (r *h2Request) parse(fields []hpack.HeaderField) bool {
	*r = h2Request{fields: fields, length: -1, origin: origin{chain: r.origin.chain[:0]}}
	for i, f := range fields {
		if !httpguts.ValidHeaderFieldValue(f.Value) {
			return false
		}
		if f.IsPseudo() {
			if i != r.pseudo || !r.parsePseudo(f) {
				return false
			}
			r.pseudo++
		} else if !h2ValidName(f.Name) || !r.parseField(f) {
			return false
		}
	}
	if r.authority == "" {
		r.authority = r.first("host")
	}
	return r.parseTarget()
}

func (r *h2Request) parsePseudo(f hpack.HeaderField) bool {
	var part *string
	switch f.Name {
	case ":method":
		part = &r.method
	case ":scheme":
		part = &r.scheme
	case ":authority":
		part = &r.authority
	case ":path":
		part = &r.path
	default:
		return false
	}
	if *part != "" {
		return false
	}
	*part = f.Value
	return true
}

// parseField keeps what is asked for later, of repeated fields the first.
func (r *h2Request) parseField(f hpack.HeaderField) bool {
	switch f.Name {
	case "user-agent":
		h2First(&r.agent, f.Value)
	case "k-network-probe":
		h2First(&r.networkProbe, f.Value)
	case "k-kubelet-probe":
		h2First(&r.kubeletProbe, f.Value)
	case "k-network-hash":
		h2First(&r.networkHash, f.Value)
	case "k-original-host":
		h2First(&r.originalHost, f.Value)
	case "forwarded":
		h2First(&r.origin.forwarded, f.Value)
	case "x-forwarded-for":
		r.origin.chain = append(r.origin.chain, f.Value)
	case "x-forwarded-host":
		h2First(&r.origin.host, f.Value)
	case "x-forwarded-proto":
		h2First(&r.origin.proto, f.Value)
	case "content-length":
		return r.parseLength(f.Value)
	case "expect":
		r.expects = r.expects || strings.EqualFold(f.Value, "100-continue")
	case "te":
		if f.Value != "trailers" && f.Value != "" {
			r.refused = plain(http.StatusBadRequest, `request header "TE" may only be "trailers" in HTTP/2`)
		}
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		name := http.CanonicalHeaderKey(f.Name)
		r.refused = plain(http.StatusBadRequest, fmt.Sprintf("request header %q is not valid in HTTP/2", name))
	}
	return true
}

func h2First(to *string, value string) {
	if *to == "" {
		*to = value
	}
}

func (r *h2Request) parseLength(value string) bool {
	length, err := strconv.ParseUint(value, 10, 63)
	if err != nil || (r.lengths > 0 && int64(length) != r.length) {
		return false
	}
	r.length = int64(length)
	r.lengths++
	return true
}

// parseTarget checks the pseudo-header fields as net/http does.
func (r *h2Request) parseTarget() bool {
	if strings.Contains(r.authority, "@") {
		return false
	}
	if r.method == http.MethodConnect {
		return r.path == "" && r.scheme == "" && r.authority != ""
	}
	if r.method == "" || !httpguts.ValidHeaderFieldName(r.method) || r.path == "" || (r.scheme != "http" && r.scheme != "https") {
		return false
	}
	path, query := r.path, ""
	if i := strings.IndexByte(path, '?'); i >= 0 {
		path, query = path[:i], path[i:]
	}
	if h2Plain(path) && !strings.Contains(query, "\t") {
		r.escaped, r.query = path, query
		return true
	}
	u, err := url.ParseRequestURI(r.path)
	if err != nil {
		return false
	}
	r.escaped, r.query = u.EscapedPath(), query
	return true
}

// h2Plain tells whether a path is one that no encoding changes.
func h2Plain(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	for i := range len(path) {
		c := path[i]
		if ('a' > c || c > 'z') && ('A' > c || c > 'Z') && ('0' > c || c > '9') && strings.IndexByte("/-._~$&+,:;=@!*'()", c) < 0 {
			return false
		}
	}
	return true
}

// h2ValidName tells whether a name may stand in HTTP/2, where it has no capitals.
func h2ValidName(name string) bool {
	for i := range len(name) {
		if c := name[i]; ('a' > c || c > 'z') && c != '-' && (('A' <= c && c <= 'Z') || !httpguts.IsTokenRune(rune(c))) {
			return false
		}
	}
	return name != ""
}

// first returns the first field of a name.
func (r *h2Request) first(name string) string {
	for _, f := range r.fields[r.pseudo:] {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Get makes a request the header that probes are found in.
func (r *h2Request) Get(name string) string {
	switch name {
	case "User-Agent":
		return r.agent
	case "K-Network-Probe":
		return r.networkProbe
	case "K-Kubelet-Probe":
		return r.kubeletProbe
	case "K-Network-Hash":
		return r.networkHash
	}
	return r.first(strings.ToLower(name))
}

// log is what the access log tells of it.
func (r *h2Request) log(remote string, ends bool) *logged {
	l := &logged{query: r.query, length: r.length, agent: r.agent, referer: r.first("referer"), remote: remote}
	if ends {
		l.length = 0
	}
	for _, f := range r.fields[r.pseudo:] {
		if f.Name == "x-b3-traceid" {
			l.trace = append(l.trace, f.Value)
		}
	}
	return l
}

// lines are the header as the capture takes it.
func (r *h2Request) lines(out []byte) []byte {
	if r.authority != "" && r.first("host") == "" {
		out = h1Append(out, "host", r.authority)
	}
	return h2AppendLines(out, r.fields[r.pseudo:])
}

func h2AppendLines(out []byte, fields []hpack.HeaderField) []byte {
	for _, f := range fields {
		out = h1Append(out, f.Name, f.Value)
	}
	return out
}

// forward writes the request that the container sees.
func (r *h2Request) forward(w *h2Wire, x *exchange, client string, stream uint32, ends bool) {
	at, ok := w.beginBlock()
	if !ok {
		return
	}
	host := x.model.host(r.authority, r.originalHost)
	if host == "" {
		host = x.replica.address.String()
	}
	w.pair(":method", r.method)
	w.pair(":authority", host)
	if r.method != http.MethodConnect {
		w.pair(":scheme", "http")
		path := x.path
		if path == "" {
			path = "/"
		}
		w.pair(":path", path+r.query)
	}
	for _, f := range r.fields[r.pseudo:] {
		if r.passes(f) && (f.Name != "k-proxy-request" || !x.model.Deployed) {
			if x.retype && f.Name == "content-type" {
				f.Value = "application/json"
			}
			w.field(f)
		}
	}
	if x.model.Deployed {
		w.pair("k-proxy-request", "activator")
	}
	r.forwardOrigin(w, x, client)
	if ends && r.lengths == 0 && (r.method == "POST" || r.method == "PUT" || r.method == "PATCH") {
		w.pair("content-length", "0")
	}
	w.endBlock(at, stream, ends)
}

// passes tells whether a field goes on as it is.
func (r *h2Request) passes(f hpack.HeaderField) bool {
	switch f.Name {
	case "host", "x-forwarded-for", "knative-serving-namespace", "knative-serving-revision", "proxy-authorization", "proxy-authenticate":
		return false
	case "k-original-host":
		return r.originalHost == ""
	case "forwarded":
		return r.origin.forwarded != ""
	case "expect":
		return !r.expects
	case "te":
		return f.Value != ""
	}
	return true
}

// forwardOrigin writes what tells of the hops.
func (r *h2Request) forwardOrigin(w *h2Wire, x *exchange, client string) {
	chain, forwarded := x.model.through(r.origin, client)
	w.pair("x-forwarded-for", chain)
	if forwarded != "" {
		w.pair("forwarded", forwarded)
	}
}
