package proxy

import (
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
)

// forwardHeaders changes the headers of a request as queue-proxy does, and what
// stands before it where the whole chain is played.
func forwardHeaders(pr *httputil.ProxyRequest, x *exchange) {
	in, out := pr.In.Header, pr.Out.Header
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := in[name]; len(values) > 0 && !namedByConnection(in, name) {
			out[name] = slices.Clone(values)
		}
	}
	peer := pr.In.RemoteAddr
	if x.model.Deployed {
		appendForwardedFor(out, peer)
		peer = activatorAddress
		pr.Out.Host = x.model.predictor
		out.Set("K-Proxy-Request", "activator")
		if x.retype && out["Content-Type"] != nil {
			out.Set("Content-Type", "application/json")
		}
	}
	if out.Get("Forwarded") == "" {
		setForwarded(out)
	}
	appendForwardedFor(out, peer)
	out.Del("Knative-Serving-Namespace")
	out.Del("Knative-Serving-Revision")
	if host := out.Get("K-Original-Host"); host != "" {
		pr.Out.Host = host
		out.Del("K-Original-Host")
	}
}

// activatorAddress is where a queue-proxy here would see the activator.
const activatorAddress = "127.0.0.1:8012"

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

// appendForwardedFor adds the client, joining all lines into one.
func appendForwardedFor(h http.Header, client string) {
	address, _, err := net.SplitHostPort(client)
	if err != nil {
		return
	}
	h.Set("X-Forwarded-For", strings.Join(append(h["X-Forwarded-For"], address), ", "))
}

// setForwarded derives the standard header from those that came before it: one
// element a hop of the first X-Forwarded-For line, with host and proto on the first.
func setForwarded(h http.Header) {
	var first []string
	hops := strings.Split(h.Get("X-Forwarded-For"), ",")
	if hop := strings.TrimSpace(hops[0]); hop != "" {
		first = append(first, "for="+forwardedNode(hop))
	}
	if host := h.Get("X-Forwarded-Host"); host != "" {
		first = append(first, "host="+host)
	}
	if proto := h.Get("X-Forwarded-Proto"); proto != "" {
		first = append(first, "proto="+proto)
	}
	if len(first) == 0 {
		return
	}
	elements := []string{strings.Join(first, ";")}
	for _, hop := range hops[1:] {
		elements = append(elements, "for="+forwardedNode(strings.TrimSpace(hop)))
	}
	h.Set("Forwarded", strings.Join(elements, ", "))
}

// forwardedNode writes an IPv6 address as RFC 7239 wants it.
func forwardedNode(address string) string {
	if strings.Contains(address, ":") {
		return `"[` + address + `]"`
	}
	return address
}
