package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// err makes the mistake that was asked for, each as people make it.
func (b behaviour) err() error {
	name, port, artifact := variables(false)
	healthAt := "/v1/models/" + name
	mistakes := map[string]func() error{
		"loopback":      func() error { return http.ListenAndServe("127.0.0.1:"+port, nil) },
		"other-port":    func() error { return http.ListenAndServe(":5000", nil) },
		"no-port":       func() error { time.Sleep(time.Hour); return nil },
		"port-in-use":   func() error { return twice(":" + port) },
		"grpc-only":     func() error { return serveGRPC(port, healthv1.HealthCheckResponse_SERVING) },
		"not-serving":   func() error { return serveGRPC(port, healthv1.HealthCheckResponse_NOT_SERVING) },
		"http-only":     func() error { return http.ListenAndServe(":"+port, nil) },
		"garbage":       func() error { return garbage(":" + port) },
		"tls":           func() error { return secure(":" + port) },
		"path":          func() error { return answer(port, "/v1/models/"+os.Getenv("CARAML_MODEL_NAME"), http.StatusOK, "") },
		"no-path":       func() error { return answer(port, "/", http.StatusNotFound, "nothing here") },
		"loading":       func() error { return answer(port, healthAt, http.StatusServiceUnavailable, "loading 40 %") },
		"redirect":      func() error { return answer(port, healthAt, http.StatusTemporaryRedirect, "") },
		"login":         func() error { return answer(port, healthAt, http.StatusUnauthorized, "") },
		"broken":        func() error { return answer(port, healthAt, http.StatusInternalServerError, "no weights") },
		"no-content":    func() error { return answer(port, healthAt, http.StatusNoContent, "") },
		"slow":          func() error { return slow(port) },
		"sick":          func() error { return sick(port, healthAt) },
		"read-only":     func() error { return os.WriteFile(filepath.Join(artifact, "cache.bin"), nil, 0o644) },
		"no-artifact":   func() error { return open(filepath.Join(artifact, "iris.json")) },
		"no-file":       func() error { return open("/app/weights.bin") },
		"no-permission": func() error { return os.WriteFile("/app.lock", nil, 0o644) },
		"no-variable":   func() error { return errors.New("CARAML_ARTIFACT_PATH is not set") },
		"no-module":     func() error { return python("ModuleNotFoundError: No module named 'sklearn'") },
		"no-library": func() error {
			return python("OSError: libgomp.so.1: cannot open shared object file: No such file or directory")
		},
		"traceback":  func() error { return python("ValueError: bad magic number") },
		"background": func() error { fmt.Println("started"); return nil },
	}
	mistake, known := mistakes[b.wrong]
	if !known {
		return fmt.Errorf("there is no mistake %q", b.wrong)
	}
	return mistake()
}

func open(path string) error {
	_, err := os.Open(path)
	return err
}

// twice starts two servers at one address.
func twice(address string) error {
	if _, err := net.Listen("tcp", address); err != nil {
		return err
	}
	return http.ListenAndServe(address, nil)
}

func serveGRPC(port string, status healthv1.HealthCheckResponse_ServingStatus) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	service := health.NewServer()
	service.SetServingStatus("", status)
	server := grpc.NewServer()
	healthv1.RegisterHealthServer(server, service)
	return server.Serve(listener)
}

// garbage answers what is no protocol.
func garbage(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		fmt.Fprintln(conn, "garbage, not HTTP")
		_ = conn.Close()
	}
}

// secure serves with TLS and a certificate of tests.
func secure(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := httptest.NewUnstartedServer(nil)
	_ = server.Listener.Close()
	server.Listener = listener
	server.StartTLS()
	time.Sleep(time.Hour)
	return nil
}

// answer gives one path a status, and no other path any but 404.
func answer(port, path string, status int, body string) error {
	return http.ListenAndServe(":"+port, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Location", "/login")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
}

func slow(port string) error {
	return http.ListenAndServe(":"+port, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
}

// sick is ready, and not alive.
func sick(port, ready string) error {
	return http.ListenAndServe(":"+port, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != ready {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
}

// python ends as a Python program does that does not catch an exception, after it has
// been asked whether it is ready.
func python(exception string) error {
	time.Sleep(200 * time.Millisecond)
	fmt.Fprintln(os.Stderr, "Traceback (most recent call last):\n  File \"/app/main.py\", line 7, in <module>\n    model = load()\n"+exception)
	os.Exit(1)
	return nil
}
