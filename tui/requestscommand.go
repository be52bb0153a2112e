package tui

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// commandOf is a request as a command for a POSIX shell that sends it to the address as
// the client did: curl's, of gRPC grpcurl's.
func commandOf(x *event.Exchange, address string) (string, error) {
	if address == "" {
		return "", fmt.Errorf("the session has no address yet")
	}
	if err := whole(&x.Request); err != nil {
		return "", err
	}
	if isGRPC(&x.Request) {
		return grpcurl(x, address)
	}
	return curl(x, address), nil
}

// whole says why a body cannot be sent: part of it is not kept.
func whole(m *event.Message) error {
	if lacks(m) {
		return fmt.Errorf("the request's body cannot be had: %s", m.Cut)
	}
	return nil
}

// ownHeaders are those that a client makes itself, for each connection or body.
var ownHeaders = []string{"host", "content-length", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade", "http2-settings"}

func curl(x *event.Exchange, address string) string {
	args := []string{"curl", "-i"}
	url := "http://" + address + x.Path + x.Query
	if strings.ContainsAny(url, "[]{}") {
		args = append(args, "-g")
	}
	if strings.Contains(x.Path, "/.") {
		args = append(args, "--path-as-is")
	}
	if x.Proto == "HTTP/2.0" || x.Proto == "HTTP/2" {
		args = append(args, "--http2-prior-knowledge")
	}
	hasBody := len(x.Request.Body) > 0
	switch {
	case x.Method == "HEAD":
		args[1] = "-I"
	case x.Method == "GET" && !hasBody, x.Method == "POST" && hasBody:
	default:
		args = append(args, "-X", quote(x.Method))
	}
	args = append(args, quote(url))
	if x.Host != address {
		args = append(args, "-H", quote("Host: "+x.Host))
	}
	for _, f := range x.Request.Header {
		switch {
		case strings.HasPrefix(f.Name, ":") || slices.Contains(ownHeaders, strings.ToLower(f.Name)):
		case f.Value == "":
			args = append(args, "-H", quote(f.Name+";"))
		default:
			args = append(args, "-H", quote(f.Name+": "+f.Value))
		}
	}
	ours := []string{"User-Agent", "Accept"} // curl sends its own where none is given
	if hasBody {
		ours = append(ours, "Content-Type")
		if len(x.Request.Body) > 1<<20 {
			ours = append(ours, "Expect")
		}
	}
	for _, name := range ours {
		if !has(x.Request.Header, name) {
			args = append(args, "-H", quote(name+":"))
		}
	}
	switch {
	case !hasBody:
	case utf8.Valid(x.Request.Body) && bytes.IndexByte(x.Request.Body, 0) < 0 && x.Request.Body[0] != '@':
		args = append(args, "--data-binary", quote(string(x.Request.Body)))
	default:
		return "printf " + quote(octal(x.Request.Body)) + " | " + strings.Join(append(args, "--data-binary", "@-"), " ")
	}
	return strings.Join(args, " ")
}

func has(fields []event.Field, name string) bool {
	return slices.ContainsFunc(fields, func(f event.Field) bool { return strings.EqualFold(f.Name, name) })
}

// octal is a body as printf's format.
func octal(body []byte) string {
	var out strings.Builder
	for _, c := range body {
		switch {
		case c == '%':
			out.WriteString("%%")
		case c == '\\':
			out.WriteString(`\\`)
		case c >= ' ' && c <= '~':
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, `\%03o`, c)
		}
	}
	return out.String()
}

// quote makes one word of a POSIX shell's.
func quote(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r >= utf8.RuneSelf || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,", r)
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// grpcHeaders are those that grpcurl makes itself, or has options for.
var grpcHeaders = []string{"content-type", "user-agent", "grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "accept-encoding"}

func grpcurl(x *event.Exchange, address string) (string, error) {
	messages, err := asJSON(&x.Request, x.Path, true)
	if err != nil {
		return "", fmt.Errorf("grpcurl takes messages as JSON: %w", err)
	}
	args := []string{"grpcurl", "-plaintext", "-authority", quote(x.Host)}
	for _, f := range x.Request.Header {
		name := strings.ToLower(f.Name)
		switch {
		case strings.HasPrefix(name, ":") || slices.Contains(ownHeaders, name):
		case name == "user-agent":
			args = append(args, "-user-agent", quote(f.Value))
		case name == "grpc-timeout":
			if seconds, ok := grpcTimeout(f.Value); ok {
				args = append(args, "-max-time", seconds)
			}
		case slices.Contains(grpcHeaders, name):
		default:
			args = append(args, "-H", quote(f.Name+": "+f.Value))
		}
	}
	args = append(args, "-d", quote(strings.TrimRight(string(messages), "\n")), address, strings.TrimPrefix(x.Path, "/"))
	return strings.Join(args, " "), nil
}

// grpcTimeout is a timeout of gRPC's in seconds.
func grpcTimeout(value string) (seconds string, ok bool) {
	if value == "" {
		return "", false
	}
	units := map[byte]float64{'H': 3600, 'M': 60, 'S': 1, 'm': 1e-3, 'u': 1e-6, 'n': 1e-9}
	unit, known := units[value[len(value)-1]]
	n, err := strconv.ParseUint(value[:len(value)-1], 10, 64)
	if err != nil || !known {
		return "", false
	}
	return strconv.FormatFloat(float64(n)*unit, 'f', -1, 64), true
}
