package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	// oldestAPI is Docker 20.10's.
	oldestAPI = "1.41"
	// answerLimit bounds the wait for an Engine of this host to say what it is,
	// farAnswerLimit for one behind a network, where ssh has to log in first.
	answerLimit    = 5 * time.Second
	farAnswerLimit = 30 * time.Second
)

// engine is what an Engine says of itself, and where it was found.
type engine struct {
	endpoint
	id           string // of its own making
	version      string
	name         string // its host's
	system       string // operating system, as "Docker Desktop"
	architecture string // as Go says it
	cpus         int
	memory       int64         // bytes
	ahead        time.Duration // its clock, of ours
	rootless     bool
}

func (e engine) String() string {
	text := fmt.Sprintf("Docker Engine %s at %s (%s)", e.version, e.host, e.foundBy)
	if e.system == "Docker Desktop" {
		text = strings.Replace(text, "Docker Engine", "Docker Desktop, Engine", 1)
	}
	return text
}

// sharesFiles tells whether the Engine may see this host's files. A tunnel to another
// host can hide behind a socket of this one: a bind mount that fails tells.
func (e endpoint) sharesFiles() bool {
	return e.scheme() == "unix" || e.scheme() == "npipe"
}

// sharesLoopback tells whether ports that the Engine publishes on its loopback
// interface are on this host's.
func (e endpoint) sharesLoopback() bool {
	if e.sharesFiles() {
		return true
	}
	u, err := url.Parse(e.host)
	if err != nil || u.Scheme == "ssh" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (e endpoint) scheme() string {
	scheme, _, _ := strings.Cut(e.host, "://")
	return scheme
}

// firstToAnswer returns the first Engine that says what it is.
func firstToAnswer(ctx context.Context, endpoints []endpoint) (*client.Client, engine, error) {
	var missing NoEngineError
	for _, e := range endpoints {
		api, engine, err := ask(ctx, e)
		if err == nil {
			return api, engine, nil
		}
		missing.Tried = append(missing.Tried, Attempt{Host: e.host, FoundBy: e.foundBy, Err: err})
		if ctx.Err() != nil {
			return nil, engine, ctx.Err()
		}
	}
	return nil, engine{}, &missing
}

// ask connects to an endpoint and makes sure that models can run there.
func ask(ctx context.Context, e endpoint) (*client.Client, engine, error) {
	limit := answerLimit
	if !e.sharesFiles() {
		limit = farAnswerLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if socket, ok := strings.CutPrefix(e.host, "unix://"); ok {
		if _, err := os.Stat(socket); err != nil { // the client would not tell this cause
			return nil, engine{}, err
		}
	}
	api, err := client.NewClientWithOpts(append(e.options, client.WithAPIVersionNegotiation())...)
	if err != nil {
		return nil, engine{}, err
	}
	info, err := api.Info(ctx)
	if err == nil {
		err = usable(info, api.ClientVersion())
	}
	if err != nil {
		_ = api.Close()
		return nil, engine{}, err
	}
	return api, describe(e, info), nil
}

func describe(e endpoint, info system.Info) engine {
	platform := platforms.Normalize(ocispec.Platform{OS: info.OSType, Architecture: info.Architecture})
	return engine{
		endpoint:     e,
		id:           info.ID,
		version:      cleanVersion(info.ServerVersion),
		name:         info.Name,
		system:       info.OperatingSystem,
		architecture: platform.Architecture,
		cpus:         info.NCPU,
		memory:       info.MemTotal,
		ahead:        ahead(info.SystemTime),
		rootless:     slices.Contains(info.SecurityOptions, "name=rootless"),
	}
}

// ahead is how much a clock that showed this just now goes before ours.
func ahead(shown string) time.Duration {
	at, err := time.Parse(time.RFC3339Nano, shown)
	if err != nil {
		return 0
	}
	return time.Until(at)
}

// cleanVersion drops what a distribution adds, as in 20.10.24+dfsg1.
func cleanVersion(version string) string {
	version, _, _ = strings.Cut(version, "+")
	return version
}

func usable(info system.Info, api string) error {
	if versions.LessThan(api, oldestAPI) {
		return fmt.Errorf("it is version %s with API %s; API %s is needed: update Docker to 20.10 or newer",
			info.ServerVersion, api, oldestAPI)
	}
	if info.OSType != "linux" {
		return errors.New("it runs " + info.OSType + " containers: switch it to Linux containers")
	}
	return nil
}
