package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// accessLine is a line as queue-proxy writes it by default.
type accessLine struct {
	Request *struct {
		Method   string `json:"requestMethod"`
		URL      string `json:"requestUrl"`
		Size     string `json:"requestSize"` // -1 where no length was announced
		Status   int    `json:"status"`
		Answered string `json:"responseSize"`
		Agent    string `json:"userAgent"`
		Server   string `json:"serverIp"`
		Referer  string `json:"referer"`
		Latency  string `json:"latency"` // in seconds, as "0.003s"
		Proto    string `json:"protocol"`
	} `json:"httpRequest"`
}

// noBodies is why an access log has so little.
const noBodies = "the access log has no bodies"

// accessLog reads queue-proxy's lines, behind a time where `kubectl logs --timestamps`
// put one. Lines of its own log are left out.
func (s *source) accessLog() error {
	return s.lines(func(_ int, text []byte) error {
		at, text := timed(text)
		var line accessLine
		if err := json.Unmarshal(text, &line); err != nil {
			return err
		}
		if line.Request == nil {
			s.note("lines without \"httpRequest\" are no access log's, and are left out")
			return nil
		}
		x, err := line.exchange(at)
		if err != nil {
			return err
		}
		return s.give(x)
	})
}

// timed takes the time off a line.
func timed(line []byte) (at time.Time, rest []byte) {
	before, after, found := bytes.Cut(line, []byte(" "))
	if !found || line[0] == '{' {
		return at, line
	}
	if at, err := time.Parse(time.RFC3339Nano, string(before)); err == nil {
		return at.UTC(), after
	}
	return at, line
}

func (l accessLine) exchange(ended time.Time) (x event.Exchange, err error) {
	r := l.Request
	if r.Method == "" || !strings.HasPrefix(r.URL, "/") && !strings.Contains(r.URL, "://") {
		return x, fmt.Errorf("requestMethod %q and requestUrl %q are no request", r.Method, r.URL)
	}
	x.Method, x.Proto, x.Status, x.Replica = r.Method, r.Proto, r.Status, r.Server
	x.Host, x.Path, x.Query = parts(r.URL)
	if x.Request.Size, err = size(r.Size); err != nil {
		return x, fmt.Errorf("requestSize: %w", err)
	}
	if x.Answer.Size, err = size(r.Answered); err != nil {
		return x, fmt.Errorf("responseSize: %w", err)
	}
	if took, err := time.ParseDuration(r.Latency); err == nil && took > 0 {
		x.Took = took
	}
	if !ended.IsZero() {
		x.Arrived = ended.Add(-x.Took)
	}
	for _, f := range []event.Field{{Name: "User-Agent", Value: r.Agent}, {Name: "Referer", Value: r.Referer}} {
		if f.Value != "" {
			x.Request.Header = append(x.Request.Header, f)
		}
	}
	if x.Request.Size < 0 && (r.Method == "GET" || r.Method == "HEAD") {
		x.Request.Size = 0
	}
	if x.Request.Size != 0 {
		x.Request.Cut = noBodies
	}
	switch {
	case x.Status == 0:
		x.Answer.Cut = "no answer is recorded: the line has no status"
	case x.Answer.Size != 0:
		x.Answer.Cut = noBodies
	}
	x.BytesIn, x.BytesOut = max(x.Request.Size, 0), max(x.Answer.Size, 0)
	return x, nil
}

func size(text string) (int64, error) {
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < -1 {
		return 0, errors.New(strconv.Quote(text) + " is no number of bytes")
	}
	return n, nil
}

// parts takes a URL, or a path, apart as it is written.
func parts(url string) (host, path, query string) {
	if _, rest, absolute := strings.Cut(url, "://"); absolute && !strings.HasPrefix(url, "/") {
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		host, url = rest[:end], rest[end:]
		host = host[strings.LastIndexByte(host, '@')+1:]
	}
	url, _, _ = strings.Cut(url, "#")
	path, query, found := strings.Cut(url, "?")
	if found {
		query = "?" + query
	}
	if path == "" {
		path = "/"
	}
	return host, path, query
}
