// Command iris-http-go serves a model of iris species as a Merlin custom model
// that speaks HTTP_JSON.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"example.com/iris-http-go/iris"
)

// drainTime is how long requests under way may take once the platform says stop.
const drainTime = 8 * time.Second

func main() {
	// Before all else: a process that is number 1 in its container and has not
	// asked for SIGTERM may not get it.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
	slog.Info("stopped")
}

func run(ctx context.Context) error {
	cfg, err := configFrom(os.Getenv)
	if err != nil {
		return err
	}
	// Merlin deploys custom models with a TCP probe: who listens gets traffic. So
	// the model is loaded before the port is opened.
	model, err := iris.Load(filepath.Join(cfg.artifacts, "iris.json"))
	if err != nil {
		return fmt.Errorf("%w (CARAML_ARTIFACT_LOCATION says where the artifact is)", err)
	}
	ln, err := net.Listen("tcp", ":"+cfg.port)
	if err != nil {
		return fmt.Errorf("listen on CARAML_HTTP_PORT: %w", err)
	}
	slog.Info("serving", "model", cfg.fullName, "address", ln.Addr().String(), "species", model.Classes)
	srv := newServer(cfg.fullName)
	srv.use(model)
	return serve(ctx, ln, srv.handler())
}

// config is what Merlin tells a custom model through its environment.
type config struct{ port, fullName, artifacts string }

// configFrom reads the environment; it has no defaults, since a wrong one would
// be found out only in production.
func configFrom(getenv func(string) string) (config, error) {
	var missing []error
	need := func(name string) string {
		value := getenv(name)
		if value == "" {
			missing = append(missing, fmt.Errorf("%s is not set; Merlin and merlin-local set it", name))
		}
		return value
	}
	cfg := config{
		port:      need("CARAML_HTTP_PORT"),
		fullName:  need("CARAML_MODEL_FULL_NAME"),
		artifacts: need("CARAML_ARTIFACT_LOCATION"),
	}
	return cfg, errors.Join(missing...)
}

// serve answers on ln until ctx ends, and lets requests that are under way finish.
func serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	slog.Info("draining")
	drained, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := srv.Shutdown(drained)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were still running after %v: %w", drainTime, err), srv.Close())
	}
	<-failed
	return err
}
