package replay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// The kinds of failure.
const (
	TimedOut    = "timeout"
	Refused     = "refused connection"
	BrokenOff   = "broken off"
	NoSuchHost  = "no such host"
	TLS         = "TLS"
	Unreachable = "no connection"
	Malformed   = "malformed answer"
	Other       = "other"
)

// refusedOnWindows is what Windows says where nobody listens.
const refusedOnWindows = syscall.Errno(10061)

// failure is the kind of an error of Client.Send.
func failure(err error) string {
	var timeout interface{ Timeout() bool }
	var dns *net.DNSError
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return TimedOut
	case errors.As(err, &dns):
		return NoSuchHost
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, refusedOnWindows):
		return Refused
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &authority):
		return TLS
	case errors.As(err, &dial) && dial.Op == "dial":
		return Unreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), ended(err):
		return BrokenOff
	case strings.Contains(err.Error(), "malformed"):
		return Malformed
	}
	return Other
}

// ended tells by its words whether net/http says that a connection or stream ended: its
// errors for that are not exported.
func ended(err error) bool {
	for _, words := range []string{"server closed idle connection", "stream error", "GOAWAY", "client connection lost", "conn could not be established", "forcibly closed", "answer was broken off"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}
