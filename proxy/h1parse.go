package proxy

import "bytes"

// h1Verdict is what is known of a header so far.
type h1Verdict int

const (
	h1More h1Verdict = iota // it goes on
	h1Done                  // it is whole, and understood
	h1Lend                  // it is whole; what it asks for, the general engine understands
	h1Odd                   // who understands everything is to say what it is
)

// h1Chunked is the length of a body that tells its own.
const h1Chunked = -1

// h1Request is a request's header. All slices are of the connection's buffer.
type h1Request struct {
	method, path, query []byte // query with its question mark
	host, agent         []byte
	fields              []h1Field // what goes on to the container
	length              int64
	close               bool
	odd                 bool // it asks for something rare

	chain                         []string // X-Forwarded-For, as it came
	hops                          string   // and as it goes on
	hosts, agents, lengths, lines int
	at                            int // where the next line begins
}

// reset makes it ready for the next header.
func (r *h1Request) reset() {
	*r = h1Request{fields: r.fields[:0], chain: r.chain[:0]}
}

// parse goes on with the header that buf begins with. It takes only what leaves
// nothing to interpret: lines end in CR LF, nothing is folded, and no header is there
// that makes the request more than a request and its answer.
func (r *h1Request) parse(buf []byte) h1Verdict {
	for {
		line, verdict := h1Line(buf, r.at)
		if verdict != h1Done {
			return verdict
		}
		r.at += len(line) + 2
		r.lines++
		switch {
		case r.lines == 1:
			if !r.begin(line) {
				return h1Odd
			}
		case len(line) == 0:
			return r.end()
		default:
			if f, ok := h1ParseField(line); !ok || !r.take(f) {
				return h1Odd
			}
		}
	}
}

// h1Line returns the line of a header that begins there, without its CR LF.
func h1Line(buf []byte, at int) ([]byte, h1Verdict) {
	n := bytes.IndexByte(buf[at:], '\n')
	switch {
	case n < 0 && len(buf) < h1HeaderLimit:
		return nil, h1More
	case n <= 0 || buf[at+n-1] != '\r' || at+n >= h1HeaderLimit:
		return nil, h1Odd
	default:
		return buf[at : at+n-1], h1Done
	}
}

// begin reads the request line.
func (r *h1Request) begin(line []byte) bool {
	method, rest, ok := bytes.Cut(line, []byte(" "))
	target, version := rest, []byte(nil)
	if ok {
		target, version, ok = bytes.Cut(rest, []byte(" "))
	}
	if !ok || string(version) != "HTTP/1.1" || len(method) == 0 || !h1All(method, h1Token) || string(method) == "CONNECT" {
		return false
	}
	r.method, r.path, r.query = method, target, nil
	if at := bytes.IndexByte(target, '?'); at >= 0 {
		r.path, r.query = target[:at], target[at:]
	}
	r.odd = !h1IsPath(r.path) || !h1All(r.query, h1Query)
	return true
}

// h1IsPath tells whether a path goes on as it is.
func h1IsPath(path []byte) bool {
	if len(path) == 0 || path[0] != '/' || !h1All(path, h1Path) {
		return false
	}
	for at := bytes.IndexByte(path, '%'); at >= 0; {
		if len(path) < at+3 || !h1IsHex(path[at+1]) || !h1IsHex(path[at+2]) {
			return false
		}
		path = path[at+3:]
		at = bytes.IndexByte(path, '%')
	}
	return true
}

func h1IsHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}

// take keeps a header that goes on, and reads one that is for this connection.
func (r *h1Request) take(f h1Field) bool {
	switch string(f.name) {
	case "Host":
		r.hosts++
		r.host = f.value
		return h1All(f.value, h1Host)
	case "User-Agent": // only the first one goes on
		if r.agents++; r.agents == 1 {
			r.agent = f.value
		}
	case "Content-Length":
		r.lengths++
		n, ok := h1Digits(f.value)
		r.length = n
		return ok
	case "Transfer-Encoding":
		r.lengths++
		r.length = h1Chunked
		return h1Equal(f.value, "chunked")
	case "Connection":
		r.connection(f.value)
	case "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate",
		"Knative-Serving-Revision", "Knative-Serving-Namespace":
	case "X-Forwarded-For":
		r.chain = append(r.chain, string(f.value))
	case "Expect", "Te", "K-Original-Host":
		r.odd = true
	case "Upgrade", "Trailer":
		return false
	default:
		r.fields = append(r.fields, f)
	}
	return true
}

// connection reads Connection where it names no header.
func (r *h1Request) connection(value []byte) {
	switch {
	case h1Equal(value, "close"):
		r.close = true
	case !h1Equal(value, "keep-alive"):
		r.odd = true
	}
}

func (r *h1Request) end() h1Verdict {
	switch {
	case r.hosts != 1 || r.lengths > 1, r.odd && r.length == h1Chunked:
		return h1Odd
	case r.odd:
		return h1Lend
	default:
		return h1Done
	}
}
