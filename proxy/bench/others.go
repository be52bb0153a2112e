package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"text/template"
	"time"
)

// queueProxyPackage is built from the module beside this one, which pins it.
const queueProxyPackage = "knative.dev/serving/cmd/queue"

// queueProxyPorts are fixed in its source; it listens there besides its own port.
var queueProxyPorts = []string{"8022", "9090", "9091"}

func startQueueProxy(ctx context.Context, st *stage) (*subject, error) {
	if err := waitForPorts(ctx); err != nil {
		return nil, missing{err}
	}
	program := filepath.Join(st.dir, "queue-proxy")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, queueProxyPackage)
	build.Dir = st.queueProxy
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s in %s: %w\n%s", queueProxyPackage, st.queueProxy, err, out)
	}
	_, userPort, err := net.SplitHostPort(st.backend)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), queueProxyEnvironment(port, userPort)...)
	c, err := st.run(cmd)
	return &subject{name: "queue-proxy", http: "127.0.0.1:" + port, grpc: "127.0.0.1:" + port, child: c}, err
}

// portPatience is for another queue-proxy that is about to end.
const portPatience = 20 * time.Second

func waitForPorts(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, portPatience)
	defer cancel()
	for {
		err := tryPorts()
		if err == nil || ctx.Err() != nil {
			return err
		}
		wait(ctx, time.Now().Add(100*time.Millisecond))
	}
}

func tryPorts() error {
	for _, port := range queueProxyPorts {
		ln, err := net.Listen("tcp", ":"+port)
		if err != nil {
			return fmt.Errorf("it needs port %s: %w", port, err)
		}
		_ = ln.Close()
	}
	return nil
}

// queueProxyEnvironment is what Knative's controller gives it, with its installed
// defaults: request metrics for Prometheus, no request log, no tracing. One port
// speaks HTTP/1.1 and h2c, whichever of the two it is meant for.
func queueProxyEnvironment(port, userPort string) []string {
	return []string{
		"CONTAINER_CONCURRENCY=" + strconv.Itoa(containerConcurrency),
		"QUEUE_SERVING_PORT=" + port,
		"QUEUE_SERVING_TLS_PORT=8112",
		"USER_PORT=" + userPort,
		"REVISION_TIMEOUT_SECONDS=300",
		"SERVING_LOGGING_CONFIG=",
		"SERVING_LOGGING_LEVEL=",
		"SERVING_NAMESPACE=bench",
		"SERVING_CONFIGURATION=iris-1",
		"SERVING_REVISION=iris-1-r1",
		"SERVING_POD=iris-1-r1-0",
		"SERVING_POD_IP=127.0.0.1",
		"SERVING_REQUEST_METRICS_BACKEND=prometheus",
		"SERVING_REQUEST_METRICS_REPORTING_PERIOD_SECONDS=5",
		"METRICS_DOMAIN=knative.dev/internal/serving",
		"SYSTEM_NAMESPACE=knative-serving",
	}
}

// ports are what a template of a configuration is filled with.
type ports struct {
	Dir, HTTP, GRPC, Backend string
	Root                     bool
}

// An nginx port speaks one of HTTP/1.1 and cleartext HTTP/2 before 1.25.1. It keeps
// connections by upstream, not by protocol: hence two.
var nginxConfig = template.Must(template.New("nginx.conf").Parse(`daemon off;
{{if .Root}}user root;
{{end}}worker_processes auto;
worker_rlimit_nofile 16384;
pid {{.Dir}}/nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off;
  client_max_body_size 0;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {{.Dir}}/body;
  proxy_temp_path {{.Dir}}/proxy;
  fastcgi_temp_path {{.Dir}}/fastcgi;
  uwsgi_temp_path {{.Dir}}/uwsgi;
  scgi_temp_path {{.Dir}}/scgi;
  upstream web {
    server {{.Backend}};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  upstream rpc {
    server {{.Backend}};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen {{.HTTP}};
    location / {
      proxy_pass http://web;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_buffering off;
      proxy_request_buffering off;
    }
  }
  server {
    listen {{.GRPC}} http2;
    http2_max_concurrent_streams 1024;
    location / {
      grpc_pass grpc://rpc;
      grpc_set_header Host $http_host;
      grpc_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`))

func startNginx(_ context.Context, st *stage) (*subject, error) {
	return st.installed(installed{
		program: "nginx", version: []string{"-v"}, config: nginxConfig,
		args: func(config string) []string { return []string{"-p", st.dir, "-c", config} },
	})
}

// Without http-no-delay HAProxy holds an event back for up to 200 ms.
var haproxyConfig = template.Must(template.New("haproxy.cfg").Parse(`global
  maxconn 8192
  tune.h2.max-concurrent-streams 1024
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  option forwardfor
  option http-keep-alive
  option http-no-delay
  http-reuse always
frontend http
  bind {{.HTTP}}
  default_backend http
backend http
  server backend {{.Backend}} pool-max-conn -1
frontend grpc
  bind {{.GRPC}} proto h2
  default_backend grpc
backend grpc
  server backend {{.Backend}} proto h2 pool-max-conn -1
`))

func startHAProxy(_ context.Context, st *stage) (*subject, error) {
	return st.installed(installed{
		program: "haproxy", version: []string{"-v"}, config: haproxyConfig,
		args: func(config string) []string { return []string{"-db", "-f", config} },
	})
}

// installed is a program that this machine may have.
type installed struct {
	program string
	version []string // arguments that make it say its version
	config  *template.Template
	args    func(config string) []string
}

func (st *stage) installed(i installed) (*subject, error) {
	program, err := find(i.program)
	if err != nil {
		return nil, missing{errors.New("it is not installed")}
	}
	s, err := newSubject()
	if err != nil {
		return nil, err
	}
	s.name = i.name(program)
	var text bytes.Buffer
	if err := i.config.Execute(&text, ports{st.dir, s.http, s.grpc, st.backend, os.Geteuid() == 0}); err != nil {
		return nil, err
	}
	path := filepath.Join(st.dir, i.config.Name())
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		return nil, err
	}
	s.child, err = st.run(exec.Command(program, i.args(path)...))
	return s, err
}

// find looks also where systems keep servers, which is not in everybody's PATH.
func find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", program))
}

var versionNumber = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)

func (i installed) name(program string) string {
	name := map[string]string{"haproxy": "HAProxy"}[i.program]
	said, _ := exec.Command(program, i.version...).CombinedOutput()
	return cmp.Or(name, i.program) + " " + string(versionNumber.Find(said))
}

func newSubject() (*subject, error) {
	web, err := freePort()
	if err != nil {
		return nil, err
	}
	rpc, err := freePort()
	return &subject{http: "127.0.0.1:" + web, grpc: "127.0.0.1:" + rpc}, err
}

// freePort may be taken again before it is used; then the subject says so.
func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, err
}
