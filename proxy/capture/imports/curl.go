package imports

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// curlLine is what of a curl command line makes its requests.
type curlLine struct {
	method, user, agent, referer, cookie string
	urls, headers, queries               []string
	data                                 []string
	sends, json, get, head               bool
	http1, http2, packed                 bool
}

// curl reads a command line behind its first word.
func (s *source) curl(args []string) ([]event.Exchange, error) {
	line := &curlLine{}
	flags := line.flags()
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("curl: %w", err)
	}
	urls := append(line.urls, flags.Args()...)
	if len(urls) == 0 {
		return nil, errors.New("curl: it has no URL")
	}
	var all []event.Exchange
	for _, u := range urls {
		x, err := line.exchange(u)
		if err != nil {
			return nil, fmt.Errorf("curl: %w", err)
		}
		all = append(all, x)
	}
	return all, nil
}

// flags are curl's, as far as they say what is sent; those that say where the answer goes,
// or how the server is reached, are known and have no effect.
func (l *curlLine) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("curl", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.StringVarP(&l.method, "request", "X", "", "")
	f.StringVarP(&l.user, "user", "u", "", "")
	f.StringVarP(&l.agent, "user-agent", "A", "", "")
	f.StringVarP(&l.referer, "referer", "e", "", "")
	f.StringVarP(&l.cookie, "cookie", "b", "", "")
	f.StringArrayVar(&l.urls, "url", nil, "")
	f.StringArrayVarP(&l.headers, "header", "H", nil, "")
	f.StringArrayVar(&l.queries, "url-query", nil, "")
	f.BoolVarP(&l.get, "get", "G", false, "")
	f.BoolVarP(&l.head, "head", "I", false, "")
	f.BoolVar(&l.packed, "compressed", false, "")
	f.BoolVar(&l.http1, "http1.1", false, "")
	f.BoolVar(&l.http2, "http2", false, "")
	f.BoolVar(&l.http2, "http2-prior-knowledge", false, "")
	for name, short := range map[string]string{"data": "d", "data-ascii": "", "data-binary": "", "data-raw": "", "data-urlencode": "", "json": ""} {
		f.VarP(&curlData{l, name}, name, short, "")
	}
	for name, short := range map[string]string{
		"insecure": "k", "silent": "s", "show-error": "S", "location": "L", "include": "i", "fail": "f", "fail-with-body": "", "verbose": "v",
		"no-buffer": "N", "progress-bar": "#", "remote-name": "O", "http1.0": "0", "ipv4": "4", "ipv6": "6", "no-keepalive": "", "globoff": "g", "no-progress-meter": "",
	} {
		f.BoolP(name, short, false, "")
	}
	for name, short := range map[string]string{
		"output": "o", "max-time": "m", "connect-timeout": "", "write-out": "w", "retry": "", "retry-delay": "", "proxy": "x", "cacert": "", "cert": "E", "key": "",
		"resolve": "", "connect-to": "", "dump-header": "D", "cookie-jar": "c", "limit-rate": "", "unix-socket": "", "noproxy": "", "ciphers": "",
	} {
		f.StringArrayP(name, short, nil, "")
	}
	return f
}

// curlData is a flag that gives data.
type curlData struct {
	line *curlLine
	name string
}

func (d *curlData) String() string { return "" }

// Type says what the flag takes.
func (d *curlData) Type() string { return "text" }

// Set takes data in the order of the flags. Files are not read: whose file it would be
// is not the importer's to guess.
func (d *curlData) Set(text string) error {
	l := d.line
	l.sends = true
	file := strings.HasPrefix(text, "@") && d.name != "data-raw"
	switch d.name {
	case "json":
		l.json = true
	case "data-urlencode":
		name, value, named := strings.Cut(text, "=")
		if file = !named && strings.Contains(text, "@"); file {
			break
		}
		if named && name != "" {
			text = name + "=" + url.QueryEscape(value)
		} else {
			text = url.QueryEscape(strings.TrimPrefix(text, "="))
		}
	}
	if file {
		return fmt.Errorf("%.60q is a file, and no other file is read: put its content into the command line, behind --data-raw", text)
	}
	l.data = append(l.data, text)
	return nil
}

func (l *curlLine) exchange(at string) (x event.Exchange, err error) {
	if !strings.Contains(at, "://") {
		at = "http://" + at
	}
	parsed, err := url.Parse(at)
	if err != nil {
		return x, err
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return x, fmt.Errorf("%.80q is no HTTP address", at)
	}
	x.Host, x.Path, x.Query = parts(at)
	if x.Proto = "HTTP/1.1"; l.http2 && !l.http1 {
		x.Proto = "HTTP/2.0"
	}
	if userinfo := parsed.User; userinfo != nil && l.user == "" {
		password, _ := userinfo.Password()
		l.user = userinfo.Username() + ":" + password
	}
	body := l.body(&x)
	x.Method = l.methodOf()
	x.Request = event.Message{Header: l.header(&x), Body: body, Size: int64(len(body))}
	x.BytesIn = x.Request.Size
	return x, nil
}

// body is what is sent as such, where it does not go into the query.
func (l *curlLine) body(x *event.Exchange) []byte {
	by := "&"
	if l.json {
		by = ""
	}
	data := strings.Join(l.data, by)
	query := slices.Clone(l.queries)
	if l.get && data != "" {
		query, data = append([]string{data}, query...), ""
	}
	for _, q := range query {
		if x.Query == "" {
			x.Query = "?" + q
		} else {
			x.Query += "&" + q
		}
	}
	if l.get || data == "" {
		return nil
	}
	return []byte(data)
}

func (l *curlLine) methodOf() string {
	switch {
	case l.method != "":
		return l.method
	case l.head:
		return http.MethodHead
	case l.sends && !l.get:
		return http.MethodPost
	}
	return http.MethodGet
}

// header is what the command line gives, and what curl adds for the data.
func (l *curlLine) header(x *event.Exchange) []event.Field {
	var all []event.Field
	given := map[string]bool{}
	for _, text := range l.headers {
		name, value, colon := strings.Cut(text, ":")
		empty := !colon && strings.HasSuffix(text, ";")
		name = strings.TrimSuffix(strings.TrimSpace(name), ";")
		value = strings.TrimSpace(value)
		given[strings.ToLower(name)] = true
		switch {
		case strings.EqualFold(name, "host") && value != "":
			x.Host = value
		case value != "" || empty:
			all = append(all, event.Field{Name: name, Value: value})
		}
	}
	add := func(is bool, name, value string) {
		if is && !given[strings.ToLower(name)] {
			all = append(all, event.Field{Name: name, Value: value})
		}
	}
	body := l.sends && !l.get
	add(body && l.json, "Content-Type", "application/json")
	add(body && l.json, "Accept", "application/json")
	add(body && !l.json, "Content-Type", "application/x-www-form-urlencoded")
	add(l.packed, "Accept-Encoding", "deflate, gzip")
	add(l.agent != "", "User-Agent", l.agent)
	add(l.referer != "", "Referer", l.referer)
	add(l.cookie != "" && strings.Contains(l.cookie, "="), "Cookie", l.cookie)
	add(l.user != "", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(l.user)))
	return all
}
