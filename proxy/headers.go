package proxy

import (
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
)

// forwardHeaders changes the headers of a request as queue-proxy does, and what
// stands before it where the whole chain is played. It is the general engine's form
// of it; model.through and model.host say it for every engine.
func forwardHeaders(pr *httputil.ProxyRequest, x *exchange) {
	in, out := pr.In.Header, pr.Out.Header
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := in[name]; len(values) > 0 && !namedByConnection(in, name) {
			out[name] = slices.Clone(values)
		}
	}
	if x.model.Deployed {
		out.Set("K-Proxy-Request", "activator")
		if x.retype && out["Content-Type"] != nil {
			out.Set("Content-Type", "application/json")
		}
	}
	client, _, _ := net.SplitHostPort(pr.In.RemoteAddr)
	chain, forwarded := x.model.through(origin{
		forwarded: out.Get("Forwarded"),
		chain:     out["X-Forwarded-For"],
		host:      out.Get("X-Forwarded-Host"),
		proto:     out.Get("X-Forwarded-Proto"),
	}, client)
	out.Set("X-Forwarded-For", chain)
	if forwarded != "" {
		out.Set("Forwarded", forwarded)
	}
	out.Del("Knative-Serving-Namespace")
	out.Del("Knative-Serving-Revision")
	original := out.Get("K-Original-Host")
	if pr.Out.Host = x.model.host(pr.Out.Host, original); original != "" {
		out.Del("K-Original-Host")
	}
}

// origin is what a request's headers say of the hops before this port.
type origin struct {
	forwarded   string   // the first Forwarded
	chain       []string // the lines of X-Forwarded-For
	host, proto string   // the first X-Forwarded-Host and X-Forwarded-Proto
}

// through returns what the container gets of them: one line of X-Forwarded-For with
// the client's address at its end, and the activator's where the whole chain is
// played; and Forwarded where there was none and the others say enough, else it is
// empty and what there was stays.
func (m *model) through(o origin, client string) (chain, forwarded string) {
	if m.Deployed {
		o.chain = []string{appendHop(o.chain, client)}
		client = activatorAddress
	}
	if o.forwarded == "" {
		forwarded = o.derive()
	}
	return appendHop(o.chain, client), forwarded
}

// host is the Host that the container gets, of the client's and of K-Original-Host,
// which the activator uses and which the container never sees.
func (m *model) host(sent, original string) string {
	switch {
	case original != "":
		return original
	case m.Deployed:
		return m.predictor
	default:
		return sent
	}
}

// activatorAddress is where a queue-proxy here would see the activator.
const activatorAddress = "127.0.0.1"

// predictorHost is the host that KServe's route sets, whatever the client sent.
func predictorHost(m Model) string {
	return m.FullName + "-predictor." + m.Project + ".svc.cluster.local"
}

// namedByConnection tells whether the client declared the header hop-by-hop.
func namedByConnection(h http.Header, name string) bool {
	for _, line := range h["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), name) {
				return true
			}
		}
	}
	return false
}

// appendHop joins all lines into one and adds the hop.
func appendHop(chain []string, hop string) string {
	if len(chain) == 0 {
		return hop
	}
	return strings.Join(chain, ", ") + ", " + hop
}

// derive makes the standard header of those that came before it: one element a hop
// of the first X-Forwarded-For line, with host and proto on the first; empty where
// there is nothing to say.
func (o origin) derive() string {
	if len(o.chain) == 0 && o.host == "" && o.proto == "" {
		return ""
	}
	var first []string
	line := ""
	if len(o.chain) > 0 {
		line = o.chain[0]
	}
	hops := strings.Split(line, ",")
	if hop := strings.TrimSpace(hops[0]); hop != "" {
		first = append(first, "for="+forwardedNode(hop))
	}
	if o.host != "" {
		first = append(first, "host="+o.host)
	}
	if o.proto != "" {
		first = append(first, "proto="+o.proto)
	}
	if len(first) == 0 {
		return ""
	}
	elements := []string{strings.Join(first, ";")}
	for _, hop := range hops[1:] {
		elements = append(elements, "for="+forwardedNode(strings.TrimSpace(hop)))
	}
	return strings.Join(elements, ", ")
}

// forwardedNode writes an IPv6 address as RFC 7239 wants it.
func forwardedNode(address string) string {
	if strings.Contains(address, ":") {
		return `"[` + address + `]"`
	}
	return address
}
