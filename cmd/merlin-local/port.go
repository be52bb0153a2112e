package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

const (
	defaultPort = 8080
	portsTried  = 100
)

// listen opens the one port on loopback. A port that was asked for by number (0 is
// any free one) must be free; else the next free one after the default is taken.
func listen(asked bool, port int) (net.Listener, error) {
	if asked {
		listener, err := listenOn(port)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("port %d is taken: stop what listens there, or leave --port and port out to get the next free one", port)
		}
		return listener, err
	}
	for port := defaultPort; port < defaultPort+portsTried; port++ {
		listener, err := listenOn(port)
		if err == nil {
			return listener, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("ports %d to %d are all taken: name a free one with --port", defaultPort, defaultPort+portsTried-1)
}

func listenOn(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}
