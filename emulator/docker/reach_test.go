package docker_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/docker"
)

func reach(r docker.Reach) func(*docker.Options) {
	return func(o *docker.Options) { o.Reach = r }
}

// at is an environment with one variable.
func at(host string) func(*docker.Options) {
	return func(o *docker.Options) {
		o.Getenv = func(name string) string {
			if name == "DOCKER_HOST" {
				return host
			}
			return ""
		}
	}
}

func TestAModelIsReachedByItsOwnAddress(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: containers have no address that this host can reach")
	}
	l := newLab(t, reach(docker.ReachAddress))
	c := l.start(t, spec(l.image(t)))
	ask(t, c)
	if c.Started().Reach != "address" || c.Address().Addr().IsLoopback() || c.Address().Port() != 8080 {
		t.Errorf("reached at %s by %s", c.Address(), c.Started().Reach)
	}
	if ports := l.inspect(t, c).HostConfig.PortBindings; len(ports) > 0 {
		t.Errorf("published %v", ports)
	}
}

func TestAModelIsReachedByAPortOfLoopbackOnly(t *testing.T) {
	l := newLab(t, reach(docker.ReachPublished))
	c := l.start(t, spec(l.image(t)))
	ask(t, c)
	if c.Started().Reach != "published" || c.Address().String() != c.Started().Address {
		t.Errorf("reached at %s by %s", c.Address(), c.Started().Reach)
	}
	ports := l.inspect(t, c).NetworkSettings.Ports
	if bindings := ports["8080/tcp"]; len(ports) != 1 || len(bindings) != 1 || bindings[0].HostIP != "127.0.0.1" {
		t.Errorf("published %v", ports)
	}
}

func TestAnEngineBehindATCPPortServesWithAVolume(t *testing.T) {
	l := newLab(t)
	l = newLab(t, at("tcp://"+forwarder(t, l.api.DaemonHost())), reach(docker.ReachPublished))
	artifact := t.TempDir()
	write(t, artifact+"/model.properties", "image = x\n")
	s := spec(l.image(t))
	s.Artifact = artifact

	c, err := l.Start(t.Context(), s)
	check(t, err)
	seen := ask(t, c)
	if seen.Files["model.properties"] != "image = x\n" || !strings.Contains(seen.Write, "read-only") {
		t.Errorf("of /mnt/models it sees %q, and a write gives %q", seen.Files, seen.Write)
	}
	found := l.inspect(t, c)
	if len(found.Mounts) != 1 || found.Mounts[0].Type != "volume" || found.Mounts[0].RW {
		t.Errorf("mounts are %+v", found.Mounts)
	}
	if left := l.left(t); len(left) != 2 {
		t.Errorf("there are %s, want the container and its volume", left)
	}
	check(t, c.Remove(context.Background()))
	if left := l.left(t); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestASocketToAnotherFileSystemServesWithAVolume(t *testing.T) {
	l := newLab(t)
	s := spec(l.image(t))
	artifact := t.TempDir()
	write(t, artifact+"/model.properties", "image = x\n")
	s.Artifact = artifact
	// What an Engine in a virtual machine answers where it does not see the folder.
	through := refusing(t, l, func(r *http.Request, body string) (status int, answer string) {
		if strings.HasSuffix(r.URL.Path, "/containers/create") && strings.Contains(body, `"Type":"bind"`) {
			return http.StatusBadRequest, `{"message":"invalid mount config for type \"bind\": bind source path does not exist: /x"}`
		}
		return 0, ""
	})
	c := through.start(t, s)
	if seen := ask(t, c); seen.Files["model.properties"] != "image = x\n" {
		t.Errorf("of /mnt/models it sees %q", seen.Files)
	}
}

// forwarder is a TCP port that leads to the Engine, until the test ends.
func forwarder(t *testing.T, host string) string {
	t.Helper()
	u, err := url.Parse(host)
	check(t, err)
	if u.Scheme != "unix" {
		t.Skip("SKIPPED: the Engine is not behind a Unix socket: ", host)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	var open sync.WaitGroup
	open.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { splice(near, u.Path) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); open.Wait() })
	return listener.Addr().String()
}

// splice copies both ways until both have ended. An ending passes on, since a build
// session ends by half.
func splice(near net.Conn, socket string) {
	defer near.Close()
	far, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer far.Close()
	var copying sync.WaitGroup
	copying.Go(func() { _, _ = io.Copy(far, near); _ = far.(*net.UnixConn).CloseWrite() })
	copying.Go(func() { _, _ = io.Copy(near, far); _ = near.(*net.TCPConn).CloseWrite() })
	copying.Wait()
}

// refusing is the lab's session on the same Engine behind a Unix socket that answers
// some requests itself.
func refusing(t *testing.T, l *lab, answer func(r *http.Request, body string) (status int, text string)) *lab {
	t.Helper()
	engine, err := url.Parse(l.api.DaemonHost())
	check(t, err)
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", engine.Path)
	}}
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := ""
		if r.Header.Get("Content-Type") == "application/json" {
			content, _ := io.ReadAll(r.Body)
			body = string(content)
			r.Body = io.NopCloser(strings.NewReader(body))
		}
		if status, text := answer(r, body); status != 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	socket := t.TempDir() + "/docker.sock"
	server.Listener, err = net.Listen("unix", socket)
	check(t, err)
	server.Start()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); transport.CloseIdleConnections() })
	return newLab(t, at("unix://"+socket), reach(docker.ReachPublished))
}
