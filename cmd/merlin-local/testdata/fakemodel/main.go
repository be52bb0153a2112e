// Command fakemodel is a custom model as small as one can be, for the tests of the
// commands: as a process, and FROM scratch in a container. Its flags make it late,
// stubborn, greedy or broken.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// behaviour is what the flags ask for.
type behaviour struct {
	exit        int
	gate        string
	predictGate string
	oldNames    bool
	stubborn    bool
	greedy      bool
	load        int
	family      bool
	orphan      bool
	wrong       string
	push        string
	lenient     bool
	says        string
}

func main() {
	var b behaviour
	flag.IntVar(&b.exit, "exit", -1, "write two lines and exit with this code")
	flag.StringVar(&b.gate, "gate", "", "not ready before this file is there")
	flag.StringVar(&b.predictGate, "predict-gate", "", "no prediction before this file is there")
	flag.BoolVar(&b.oldNames, "old-names", false, "read the deprecated MERLIN_ variables only")
	flag.BoolVar(&b.stubborn, "stubborn", false, "ignore SIGTERM")
	flag.BoolVar(&b.greedy, "greedy", false, "take memory without end")
	flag.IntVar(&b.load, "load", 0, "take so many MiB before it serves")
	flag.BoolVar(&b.family, "family", false, "start a child that does nothing")
	flag.BoolVar(&b.orphan, "child", false, "be that child")
	flag.StringVar(&b.wrong, "wrong", "", "make this mistake: see wrong.go")
	flag.BoolVar(&b.lenient, "lenient", false, "take for JSON what is none")
	flag.StringVar(&b.says, "says", "", "answer predictions with the JSON of this file, read at the start; fail where it is none")
	flag.StringVar(&b.push, "push", "", "push a metric to the Pushgateway that this variable names")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "fakemodel:", err)
		os.Exit(1)
	}
}

func (b behaviour) run() error {
	if err := sign(); err != nil {
		return err
	}
	switch {
	case b.orphan:
		<-time.After(24 * time.Hour) // select {} would be a deadlock
	case b.exit >= 0:
		fmt.Println("loading /mnt/models/weights.bin")
		fmt.Fprintln(os.Stderr, "weights.bin: bad magic number")
		os.Exit(b.exit)
	case b.greedy:
		time.Sleep(300 * time.Millisecond) // the Engine does not see a kill of the first moments
		eat(4 << 10)
	}
	if b.wrong != "" {
		return b.err()
	}
	loaded := eat(b.load)
	defer func() { fmt.Println("unloading", len(loaded), "MiB") }()
	if b.family {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		if err := exec.Command(self, "-child").Start(); err != nil {
			return err
		}
	}
	return b.serve()
}

// sign adds this process to the file of all that a test started.
func sign() error {
	path := os.Getenv("FAKEMODEL_PIDS")
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, os.Getpid())
	return errors.Join(err, file.Close())
}

func (b behaviour) serve() error {
	m := newModel(b)
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: m, Protocols: protocols}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() {
		for range ended {
			fmt.Println("asked to end")
			m.pushes(true)
			if !b.stubborn {
				os.Exit(0)
			}
		}
	}()
	listener, err := net.Listen("tcp", ":"+m.port)
	if err != nil {
		return err
	}
	fmt.Printf("serving %s on port %s\n", m.name, m.port)
	m.pushes(false)
	return server.Serve(listener)
}

// variables are the ones that the model goes by: by their documented names, or by
// those that Merlin deprecated and still sets.
func variables(oldNames bool) (name, port, artifact string) {
	if oldNames {
		return os.Getenv("MERLIN_MODEL_NAME"), os.Getenv("MERLIN_PREDICTOR_PORT"), os.Getenv("MERLIN_ARTIFACT_LOCATION")
	}
	port = os.Getenv("CARAML_HTTP_PORT")
	if grpc := os.Getenv("CARAML_GRPC_PORT"); os.Getenv("PORT") == grpc {
		port = grpc
	}
	return os.Getenv("CARAML_MODEL_FULL_NAME"), port, os.Getenv("CARAML_ARTIFACT_LOCATION")
}

// await waits until a file is there.
func await(path string) {
	for path != "" {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// eat takes so many MiB, in pieces.
func eat(pieces int) (eaten []string) {
	for range pieces {
		eaten = append(eaten, strings.Repeat("x", 1<<20))
	}
	return eaten
}
