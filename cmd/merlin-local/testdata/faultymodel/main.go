// Command faultymodel is a custom model that keeps the whole contract but for one fault,
// which the variable FAULT names: for the tests of `merlin-local check`. Its predictions
// are twice each instance.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Getenv("FAULT")); err != nil {
		fmt.Fprintln(os.Stderr, "faultymodel:", err)
		os.Exit(1)
	}
}

func run(fault string) error {
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := begin(fault); err != nil {
		return err
	}
	if fault == "fat" {
		weights := strings.Repeat("x", 186<<20)
		defer runtime.KeepAlive(weights)
	}
	if os.Getenv("PORT") == os.Getenv("CARAML_GRPC_PORT") {
		return serveUPI(ended, fault)
	}
	if fault == "never-listens" {
		<-ended.Done()
		return nil
	}
	m := &model{fault: fault, name: name(fault), begun: time.Now()}
	listener, err := net.Listen("tcp", address(fault))
	if err != nil {
		return err
	}
	if fault == "tls" {
		server := httptest.NewUnstartedServer(m.handler())
		server.Listener = listener
		server.StartTLS()
		<-ended.Done()
		return nil
	}
	return m.serve(ended, listener)
}

// begin is what a model does before it serves.
func begin(fault string) error {
	switch fault {
	case "exits":
		return errors.New("weights.bin: bad magic number")
	case "writes-artifact":
		return os.WriteFile(filepath.Join(os.Getenv("CARAML_ARTIFACT_LOCATION"), "cache.bin"), nil, 0o644)
	case "one-user":
		if os.Getuid() != 65532 {
			return errors.New("open /data/weights.bin: permission denied")
		}
	}
	return nil
}

// name is what stands in the model's paths.
func name(fault string) string {
	switch fault {
	case "model-name":
		return os.Getenv("CARAML_MODEL_NAME")
	case "own-name":
		return os.Getenv("CARAML_MODEL_NAME") + "-" + os.Getenv("CARAML_MODEL_VERSION")
	}
	return os.Getenv("CARAML_MODEL_FULL_NAME")
}

// address is where the model listens.
func address(fault string) string {
	switch fault {
	case "own-port":
		return ":8080"
	case "loopback":
		return "127.0.0.1:" + os.Getenv("CARAML_HTTP_PORT")
	}
	return ":" + os.Getenv("CARAML_HTTP_PORT")
}

// serve answers until the end, and lets requests that run finish.
func (m *model) serve(ended context.Context, listener net.Listener) error {
	server := &http.Server{Handler: m.handler()}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ended.Done():
	}
	switch m.fault {
	case "ignores-sigterm":
		return <-failed
	case "cuts":
		return nil
	}
	if err := server.Shutdown(context.Background()); err != nil {
		return err
	}
	if m.fault == "exit-code" {
		os.Exit(3)
	}
	return nil
}
