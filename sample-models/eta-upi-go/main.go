// Command eta-upi-go serves a model of delivery times as a Merlin custom model
// that speaks UPI_V1.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"example.com/eta-upi-go/eta"
)

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
	model, err := eta.Load(filepath.Join(cfg.artifacts, "eta.json"))
	if err != nil {
		return fmt.Errorf("%w (CARAML_ARTIFACT_LOCATION says where the artifact is)", err)
	}
	ln, err := net.Listen("tcp", ":"+cfg.port)
	if err != nil {
		return fmt.Errorf("listen on CARAML_GRPC_PORT: %w", err)
	}
	slog.Info("serving", "model", cfg.name, "version", cfg.version, "address", ln.Addr().String(), "trees", len(model.Trees))
	srv := newServer(cfg.name, cfg.version)
	srv.use(model)
	return srv.serve(ctx, ln)
}

// config is what Merlin tells a custom model through its environment.
type config struct{ port, name, version, artifacts string }

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
		port:      need("CARAML_GRPC_PORT"),
		name:      need("CARAML_MODEL_NAME"),
		version:   need("CARAML_MODEL_VERSION"),
		artifacts: need("CARAML_ARTIFACT_LOCATION"),
	}
	return cfg, errors.Join(missing...)
}
