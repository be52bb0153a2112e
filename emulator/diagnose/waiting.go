package diagnose

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func grpcForHTTP(e *Evidence) (Finding, bool) {
	if e.UPI || !e.Speech.HTTP2 || e.Speech.HTTP1 {
		return no()
	}
	return certain("its port speaks HTTP/2 alone, as a gRPC server does, and protocol is HTTP_JSON", "set protocol: UPI_V1 if it is a UPI model, or serve HTTP/1.1")
}

func httpForGRPC(e *Evidence) (Finding, bool) {
	if !e.UPI || !e.Speech.HTTP1 || e.Speech.HTTP2 {
		return no()
	}
	return certain("its port speaks HTTP/1.1 alone, and protocol is UPI_V1", "set protocol: HTTP_JSON, or serve gRPC on that port")
}

func tls(e *Evidence) (Finding, bool) {
	if !e.Speech.TLS {
		return no()
	}
	return certain("its port speaks TLS: production sends it plain requests", "serve without TLS; the platform's edge adds it")
}

// said is where its log says that it listens.
func (e *Evidence) said() (host string, port int, ok bool) {
	if m, found := find(e.Logs, listensAt); found {
		port, err := strconv.Atoi(m[2])
		return strings.Trim(m[1], "[]"), port, err == nil
	}
	if m, found := find(e.Logs, listensOn); found {
		port, err := strconv.Atoi(m[1])
		return "", port, err == nil
	}
	return "", 0, false
}

var (
	listensAt = regexp.MustCompile(`(?i)(?:listening|running|serving|server|started|bound)\b.*?(127\.0\.0\.1|localhost|0\.0\.0\.0|\[::1?\]):(\d{2,5})\b`)
	listensOn = regexp.MustCompile(`(?i)(?:listening|running|serving|started)\b.* port:? ?(\d{2,5})\b`)
)

func otherPort(e *Evidence) (Finding, bool) {
	if !e.refused() {
		return no()
	}
	next := "listen on 0.0.0.0 at the port in " + e.portVariable()
	if e.SocketsKnown {
		if len(e.Listening) == 0 || e.listensOnPort() {
			return no()
		}
		why := fmt.Sprintf("it listens on %s, not on port %d%s", sockets(e.Listening), e.Port, e.othersPort(int(e.Listening[0].Port())))
		return certain(why, next)
	}
	if _, port, ok := e.said(); ok && port != e.Port {
		return likely(fmt.Sprintf("its log says that it listens on port %d, not on %d%s", port, e.Port, e.othersPort(port)), next)
	}
	return no()
}

// othersPort says that a port is the other protocol's.
func (e *Evidence) othersPort(port int) string {
	switch {
	case port != e.OtherPort:
		return ""
	case e.UPI:
		return ": that is CARAML_HTTP_PORT, which UPI_V1 does not use"
	default:
		return ": that is CARAML_GRPC_PORT, which HTTP_JSON does not use"
	}
}

func sockets(all []netip.AddrPort) string {
	var texts []string
	for _, s := range all {
		if text := s.String(); !slices.Contains(texts, text) && len(texts) < mostListed {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}

func loopback(e *Evidence) (Finding, bool) {
	if !e.Isolated || e.Probe.Status != 0 {
		return no()
	}
	next := "listen on 0.0.0.0, all addresses: 127.0.0.1 is the container's own, which nobody else reaches"
	why := fmt.Sprintf("it listens on 127.0.0.1:%d only", e.Port)
	if e.SocketsKnown {
		onPort := slices.DeleteFunc(slices.Clone(e.Listening), func(s netip.AddrPort) bool { return int(s.Port()) != e.Port })
		if len(onPort) == 0 || slices.ContainsFunc(onPort, func(s netip.AddrPort) bool { return !s.Addr().IsLoopback() }) {
			return no()
		}
		return certain(strings.Replace(why, "127.0.0.1:"+strconv.Itoa(e.Port), sockets(onPort), 1), next)
	}
	host, port, ok := e.said()
	if ok && port == e.Port && slices.Contains([]string{"127.0.0.1", "localhost", "::1"}, host) {
		return likely(why+", as its log says", next)
	}
	return no()
}

func notListening(e *Evidence) (Finding, bool) {
	next := "wait if it loads; else listen on 0.0.0.0 at the port in " + e.portVariable()
	switch {
	case e.SocketsKnown && len(e.Listening) == 0:
		return likely("it does not listen on any port yet: it may still be loading", next)
	case !e.SocketsKnown && e.refused():
		return guess(fmt.Sprintf("port %d takes no connection: it may still be loading, listen on another port, or on 127.0.0.1 only", e.Port), next)
	}
	return no()
}

func healthPath(e *Evidence) (Finding, bool) {
	if e.Probe.Status != http.StatusNotFound {
		return no()
	}
	for _, a := range e.Answers {
		if a.Status != http.StatusOK || a.Path == "/" {
			continue
		}
		why := fmt.Sprintf("%s gives 404, and %s 200", e.Probe.Target, a.Path)
		if a.From != "" {
			why += ": it is built from " + a.From
		}
		return certain(why, "build the path from CARAML_MODEL_FULL_NAME, here "+e.FullName)
	}
	return no()
}

func noHealthPath(e *Evidence) (Finding, bool) {
	if e.Probe.Status != http.StatusNotFound {
		return no()
	}
	why := e.Probe.Target + " gives 404" + e.body()
	if len(e.Answers) > 0 {
		why += fmt.Sprintf("; none of %d other paths that were tried is a health path", len(e.Answers))
	}
	return likely(why, "answer 200 at /v1/models/ with the name in CARAML_MODEL_FULL_NAME once the model is loaded")
}

// body is what an answer said, as the end of a sentence.
func (e *Evidence) body() string {
	if e.Probe.Body == "" {
		return ""
	}
	return ": " + clip(e.Probe.Body)
}

func healthUnavailable(e *Evidence) (Finding, bool) {
	if e.Probe.Status != http.StatusServiceUnavailable {
		return no()
	}
	return likely(e.Probe.Target+" gives 503, as while it loads"+e.body(), "wait if it loads; else find out why it does not end loading")
}

func healthRedirects(e *Evidence) (Finding, bool) {
	if s := e.Probe.Status; s < 300 || s > 399 {
		return no()
	}
	return certain(fmt.Sprintf("%s redirects (%s)%s", e.Probe.Target, e.Probe.Outcome, e.body()), "answer 200 at that very path: the name has no slash at its end, and there is no login")
}

func healthRefuses(e *Evidence) (Finding, bool) {
	if s := e.Probe.Status; s != http.StatusUnauthorized && s != http.StatusForbidden {
		return no()
	}
	return certain(fmt.Sprintf("%s wants a login (%s)%s", e.Probe.Target, e.Probe.Outcome, e.body()), "answer the health path without one: nobody logs in to probe")
}

func healthErrors(e *Evidence) (Finding, bool) {
	if e.Probe.Status < 500 {
		return no()
	}
	return likely(fmt.Sprintf("%s fails (%s)%s", e.Probe.Target, e.Probe.Outcome, e.body()), "mend its health endpoint: its log may have the error")
}

func healthSlow(e *Evidence) (Finding, bool) {
	if e.Probe.Status != 0 || !strings.HasPrefix(e.Probe.Outcome, "no answer within") {
		return no()
	}
	return likely(fmt.Sprintf("it takes the connection, and %s has %s", e.Probe.Target, e.Probe.Outcome), "answer the probe at once, from another thread than the one that loads or predicts")
}

func grpcNotServing(e *Evidence) (Finding, bool) {
	if !e.UPI || e.Probe.Kind != "grpc" || !slices.Contains([]string{"NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN"}, e.Probe.Outcome) {
		return no()
	}
	return likely("its gRPC health service says "+e.Probe.Outcome+", as while it loads", "set SERVING for the whole server (the empty service name) once the model is loaded")
}

func healthOther(e *Evidence) (Finding, bool) {
	if e.Probe.Status == 0 {
		return no()
	}
	return certain(fmt.Sprintf("%s gives %s%s, and readiness is 200 alone", e.Probe.Target, e.Probe.Outcome, e.body()), "answer 200 once the model is loaded")
}

func notReady(e *Evidence) (Finding, bool) {
	if e.Probe.Outcome == "" {
		return guess("no probe has been answered yet", "look at its log")
	}
	return guess(fmt.Sprintf("%s: %s%s", e.Probe.Target, clip(e.Probe.Outcome), e.body()), "look at its log, and check protocol")
}
