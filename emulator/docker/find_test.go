package docker_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	dockercontext "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"

	"github.com/caraml-dev/merlin-local/emulator/docker"
)

// nowhere is a user who has set nothing.
func nowhere(t *testing.T) func(*docker.Options) {
	home := t.TempDir()
	return func(o *docker.Options) {
		o.HomeDir = home
		o.Getenv = func(string) string { return "" }
	}
}

// missing is the error of a Connect that finds nothing.
func missing(t *testing.T, change ...func(*docker.Options)) *docker.NoEngineError {
	t.Helper()
	var options docker.Options
	for _, c := range change {
		c(&options)
	}
	r, err := docker.Connect(t.Context(), options)
	if err == nil {
		_ = r.Close()
	}
	var missing *docker.NoEngineError
	if !errors.As(err, &missing) {
		t.Fatalf("the error is %v", err)
	}
	return missing
}

func TestNoEngineSaysWhereItWasLookedForAndWhatToDo(t *testing.T) {
	dir := t.TempDir()
	gone := "unix://" + dir + "/gone.sock"
	err := missing(t, nowhere(t), at(gone))
	if len(err.Tried) != 1 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("tried %+v", err.Tried)
	}
	contains(t, err.Error(), gone+" (DOCKER_HOST): no such socket", "start Docker", "--runtime process")

	refused := missing(t, nowhere(t), at("tcp://127.0.0.1:1"))
	contains(t, refused.Error(), "tcp://127.0.0.1:1")

	denied := &docker.NoEngineError{Tried: []docker.Attempt{{Host: "unix:///d", FoundBy: "default", Err: fs.ErrPermission}}}
	contains(t, denied.Error(), "unix:///d (default): permission denied", "group")
}

func TestAnEngineThatIsTooOldIsNamed(t *testing.T) {
	socket := shortDir(t) + "/docker.sock"
	listener, err := net.Listen("unix", socket)
	check(t, err)
	old := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", "1.40")
		_, _ = io.WriteString(w, `{"ServerVersion": "19.03.15", "OSType": "linux"}`)
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = old.Serve(listener) }()
	defer func() { _ = old.Close(); <-served }()
	contains(t, missing(t, nowhere(t), at("unix://"+socket)).Error(), "19.03.15", "1.41", "update Docker")
}

func TestTheEngineAtTheDefaultSocketIsFound(t *testing.T) {
	const socket = "/var/run/docker.sock"
	if conn, err := net.Dial("unix", socket); err != nil {
		t.Skip("SKIPPED: no Docker Engine answers at the default socket: ", err)
	} else {
		_ = conn.Close()
	}
	t.Setenv("DOCKER_HOST", "") // of whoever runs the tests
	contains(t, newLab(t, nowhere(t)).Describe(), "Engine ", " at unix://"+socket+" (default)")
}

func TestTheEngineOfTheCurrentContextIsUsed(t *testing.T) {
	l := newLab(t)
	home := t.TempDir()
	tcp := "tcp://" + forwarder(t, l.api.DaemonHost())
	saveContext(t, home, "lab", tcp)
	write(t, home+"/.docker/config.json", `{"currentContext": "lab"}`)
	at := func(o *docker.Options) { o.HomeDir = home }
	found := newLab(t, nowhere(t), at)
	contains(t, found.Describe(), "Docker", tcp, "the current context lab")

	named := newLab(t, nowhere(t), at, environment("DOCKER_CONTEXT", "lab"))
	contains(t, named.Describe(), tcp, "DOCKER_CONTEXT lab")

	// DOCKER_HOST and the default context win over it.
	host := newLab(t, nowhere(t), at, environment("DOCKER_HOST", l.api.DaemonHost()))
	contains(t, host.Describe(), l.api.DaemonHost(), "DOCKER_HOST")

	var options docker.Options
	nowhere(t)(&options)
	environment("DOCKER_CONTEXT", "nothing")(&options)
	_, err := docker.Connect(t.Context(), options)
	if err == nil {
		t.Fatal("a context that is not there was accepted")
	}
	contains(t, err.Error(), "DOCKER_CONTEXT nothing", "docker context use")
}

// saveContext does what "docker context create" does.
func saveContext(t *testing.T, home, name, host string) {
	t.Helper()
	contexts := store.New(filepath.Join(home, ".docker", "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(dockercontext.DockerEndpoint, func() any { return &dockercontext.EndpointMeta{} }),
	))
	check(t, contexts.CreateOrUpdate(store.Metadata{
		Name: name, Metadata: map[string]any{},
		Endpoints: map[string]any{dockercontext.DockerEndpoint: dockercontext.EndpointMeta{Host: host}},
	}))
}

func TestAnEngineBehindTLSIsUsed(t *testing.T) {
	l := newLab(t)
	certificates := t.TempDir()
	host := secured(t, l.api.DaemonHost(), certificates)
	found := newLab(t, nowhere(t), at(host), environment("DOCKER_TLS_VERIFY", "1"), environment("DOCKER_CERT_PATH", certificates))
	contains(t, found.Describe(), host)

	err := missing(t, nowhere(t), at(host)) // without TLS
	contains(t, err.Error(), host)
}

// secured is the Engine behind TLS; the folder gets the certificate to trust.
func secured(t *testing.T, host, certificates string) string {
	t.Helper()
	u, err := url.Parse(host)
	check(t, err)
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", u.Path)
	}}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1, ErrorLog: quiet(),
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
	})
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); transport.CloseIdleConnections() })
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	write(t, certificates+"/ca.pem", string(pem.EncodeToMemory(block)))
	return "tcp://" + server.Listener.Addr().String()
}

func TestAnEngineBehindSSHIsUsed(t *testing.T) {
	l := newLab(t)
	u, err := url.Parse(l.api.DaemonHost())
	check(t, err)
	if u.Scheme != "unix" {
		t.Skip("SKIPPED: the Engine is not behind a Unix socket: ", u)
	}
	own, err := os.Executable()
	check(t, err)
	// In place of ssh: what "docker system dial-stdio" does at the other end.
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s='%s' exec '%s'\n", dialStdio, u.Path, own)
	check(t, os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o755))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))

	found := newLab(t, nowhere(t), at("ssh://me@builder"), reach(docker.ReachAddress))
	contains(t, found.Describe(), "ssh://me@builder")
	if !strings.HasPrefix(found.Describe(), "Docker") {
		t.Error(found.Describe())
	}
	image := found.image(t)
	out, _ := logged(t, found.start(t, spec(image, "exit", "0")))
	contains(t, out, "exiting with 0")
}
