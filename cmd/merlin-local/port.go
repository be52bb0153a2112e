package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

const (
	defaultPort    = 8080
	defaultMetrics = 9091 // as queue-proxy's
	defaultPush    = 9091 // as a Pushgateway's
	portsTried     = 100
)

// wish is which port is wanted, of loopback where no other address is said. One that was
// asked for by number (0 is any free one) must be free; else the next free one after the
// default is taken.
type wish struct {
	address  netip.Addr
	asked    bool
	number   int
	fallback int
	names    string // how it is asked for
}

func (w wish) listen() (net.Listener, error) {
	if w.asked {
		listener, err := w.listenOn(w.number)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("port %d is taken: stop what listens there, or leave %s out to get the next free one", w.number, w.names)
		}
		return listener, err
	}
	for port := w.fallback; port < w.fallback+portsTried; port++ {
		listener, err := w.listenOn(port)
		if err == nil {
			return listener, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("ports %d to %d are all taken: name a free one with %s", w.fallback, w.fallback+portsTried-1, w.names)
}

func (w wish) listenOn(port int) (net.Listener, error) {
	host := "127.0.0.1"
	if w.address.IsValid() {
		host = w.address.String()
	}
	return net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}
