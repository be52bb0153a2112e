package proxy

import (
	"slices"
	"strconv"
)

// Get is how a probe asks for a header.
func (c *h1Conn) Get(name string) string {
	if name == "User-Agent" {
		return h1Keep(&c.names.agent, c.request.agent)
	}
	value, _ := h1First(c.request.fields, name)
	return string(value)
}

// retarget changes the headers of the request as queue-proxy does, and what stands
// before it where the whole chain is played.
func (c *h1Conn) retarget(x *exchange) {
	r := &c.request
	if x.model.Deployed {
		r.fields = append(h1Without(r.fields, "K-Proxy-Request"), h1Field{[]byte("K-Proxy-Request"), []byte("activator")})
		if _, ok := h1First(r.fields, "Content-Type"); x.retype && ok {
			r.fields = append(h1Without(r.fields, "Content-Type"), h1Field{[]byte("Content-Type"), []byte("application/json")})
		}
	}
	if pragma, _ := h1First(r.fields, "Pragma"); string(pragma) == "no-cache" { // as net/http reads it
		if _, ok := h1First(r.fields, "Cache-Control"); !ok {
			r.fields = append(r.fields, h1Field{[]byte("Cache-Control"), pragma})
		}
	}
	forwarded := ""
	r.hops, forwarded = x.model.through(c.origin(), c.client)
	if forwarded != "" {
		r.fields = append(h1Without(r.fields, "Forwarded"), h1Field{[]byte("Forwarded"), []byte(forwarded)})
	}
	h1Sort(r.fields)
}

func (c *h1Conn) origin() origin {
	r := &c.request
	first := func(name string) string {
		value, _ := h1First(r.fields, name)
		return string(value)
	}
	return origin{
		forwarded: first("Forwarded"),
		chain:     r.chain,
		host:      first("X-Forwarded-Host"),
		proto:     first("X-Forwarded-Proto"),
	}
}

// write appends the request as the container gets it, without its body. The order is
// that of net/http.
func (c *h1Conn) write(out []byte, x *exchange) []byte {
	r := &c.request
	out = append(append(out, r.method...), ' ')
	if x.path != x.fact.Path {
		out = append(out, x.path...)
	} else {
		out = append(out, r.path...)
	}
	out = append(append(out, r.query...), " HTTP/1.1\r\n"...)
	host := x.model.host(x.fact.Host, "")
	if host == "" {
		host = x.replica.name
	}
	out = h1Append(out, "Host", host)
	if len(r.agent) > 0 {
		out = h1Field{h1UserAgent, r.agent}.append(out)
	}
	out = c.writeFraming(out)
	return append(c.writeFields(out), "\r\n"...)
}

var h1UserAgent = []byte("User-Agent")

func (c *h1Conn) writeFraming(out []byte) []byte {
	switch r := &c.request; {
	case r.length == h1Chunked:
		return append(out, "Transfer-Encoding: chunked\r\n"...)
	case r.length > 0 || slices.Contains([]string{"POST", "PUT", "PATCH"}, string(r.method)):
		return h1AppendLength(out, r.length)
	default:
		return out
	}
}

// writeFields puts X-Forwarded-For where it belongs by name.
func (c *h1Conn) writeFields(out []byte) []byte {
	hops := false
	for _, f := range c.request.fields {
		if !hops && string(f.name) > "X-Forwarded-For" {
			out, hops = h1Append(out, "X-Forwarded-For", c.request.hops), true
		}
		out = f.append(out)
	}
	if !hops {
		out = h1Append(out, "X-Forwarded-For", c.request.hops)
	}
	return out
}

func h1AppendLength(out []byte, n int64) []byte {
	return append(strconv.AppendInt(append(out, "Content-Length: "...), n, 10), "\r\n"...)
}

// repeatable tells whether the request may be sent again where a connection that was
// used before died without a byte of an answer, as Go's transport has it.
func (c *h1Conn) repeatable(written bool) bool {
	r := &c.request
	if r.length != 0 {
		return false
	}
	if !written {
		return true
	}
	switch string(r.method) {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return true
	}
	_, key := h1First(r.fields, "Idempotency-Key")
	_, xkey := h1First(r.fields, "X-Idempotency-Key")
	return key || xkey
}
