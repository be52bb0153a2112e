package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	controlapi "github.com/moby/buildkit/api/services/control"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// buildCache is BuildKit's cache in the Engine, which all builds of all users share. It is
// asked by BuildKit's own API, which the Engine offers at /grpc: the Engine's API of 1.41
// lists the cache only together with the size of every container and volume, and answers
// one such question at a time.
type buildCache struct {
	conn    *grpc.ClientConn
	control controlapi.ControlClient
}

// cacheRecord is what one step of a build left in the cache.
type cacheRecord struct {
	id   string
	kind stepKind
	// by the Engine's clock; used is last, and by a build
	created, used time.Time
}

// stepKind is what a step does; those of no kind leave nothing that grows.
type stepKind string

// The kinds of step.
const (
	stepFiles stepKind = "files" // COPY, ADD and WORKDIR
	stepRun   stepKind = "run"
)

func (r *Runtime) openBuildCache() (*buildCache, error) {
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		return r.client.DialHijack(ctx, "/grpc", "h2c", nil)
	}
	conn, err := grpc.NewClient("passthrough:///engine",
		grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &buildCache{conn, controlapi.NewControlClient(conn)}, nil
}

func (c *buildCache) close() { _ = c.conn.Close() }

// kindsBy are filters of the cache. The first is what a BuildKit of Engine 20.10 says of
// files; newer ones repeat the Dockerfile's line. What is not asked for is not measured,
// which for a base image can take seconds.
func kindsBy() map[string]stepKind {
	return map[string]stepKind{
		`description=="fileop target"`:                          stepFiles,
		`description~="^\\[.*[0-9]\\] (COPY|ADD|WORKDIR)( |$)"`: stepFiles,
		`description~="^mount / from exec "`:                    stepRun,
	}
}

// records lists what steps left.
func (c *buildCache) records(ctx context.Context) ([]cacheRecord, error) {
	var all []cacheRecord
	for filter, kind := range kindsBy() {
		usage, err := c.control.DiskUsage(ctx, &controlapi.DiskUsageRequest{Filter: []string{filter}})
		if err != nil {
			return nil, fmt.Errorf("list the build cache: %w", err)
		}
		for _, u := range usage.Record {
			r := cacheRecord{id: u.ID, kind: kind, created: u.CreatedAt.AsTime()}
			if r.used = r.created; u.LastUsedAt != nil {
				r.used = u.LastUsedAt.AsTime()
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// remove removes records, but for those that an image has as a layer, that others come
// from, or that a build uses.
func (c *buildCache) remove(ctx context.Context, ids []string) error {
	filters := make([]string, 0, len(ids)) // of which one has to match
	for _, id := range ids {
		filters = append(filters, "id=="+id)
	}
	if len(filters) == 0 {
		return nil // no filter would be everything
	}
	removed, err := c.control.Prune(ctx, &controlapi.PruneRequest{Filter: filters})
	for err == nil {
		_, err = removed.Recv()
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("remove from the build cache: %w", err)
	}
	return nil
}
