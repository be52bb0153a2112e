package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

const (
	defaultPort    = 8080
	defaultMetrics = 9091 // as queue-proxy's
	portsTried     = 100
)

// wish is which port of loopback is wanted. One that was asked for by number (0 is
// any free one) must be free; else the next free one after the default is taken.
type wish struct {
	asked    bool
	number   int
	fallback int
	names    string // how it is asked for
}

func (w wish) listen() (net.Listener, error) {
	if w.asked {
		listener, err := listenOn(w.number)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("port %d is taken: stop what listens there, or leave %s out to get the next free one", w.number, w.names)
		}
		return listener, err
	}
	for port := w.fallback; port < w.fallback+portsTried; port++ {
		listener, err := listenOn(port)
		if err == nil {
			return listener, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("ports %d to %d are all taken: name a free one with %s", w.fallback, w.fallback+portsTried-1, w.names)
}

func listenOn(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}
