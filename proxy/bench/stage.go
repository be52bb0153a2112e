package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// stage is the backend and the subjects before it, all running.
type stage struct {
	self       string // this program
	dir        string // for configurations and the like
	queueProxy string // folder of its module
	backend    string // address
	children   []*child
	subjects   []*subject
	left       []string // who is not there, and why
}

// subject is what stands between the load and the backend.
type subject struct {
	name       string
	http, grpc string // addresses
	child      *child // nil where the load goes straight to the backend
}

// starter starts one subject on a stage.
type starter struct {
	name  string
	start func(ctx context.Context, st *stage) (*subject, error)
}

func (s starter) key() string { return s.name }

func subjects() []starter {
	return []starter{
		{"direct", startDirect},
		{"merlin-local", startOwn("merlin-local")},
		{"with capture", startOwn("with capture")}, // merlin-local as it is by default
		{"queue-proxy", startQueueProxy},
		{"ReverseProxy", startOwn("ReverseProxy")},
		{"nginx", startNginx},
		{"HAProxy", startHAProxy},
	}
}

// missing is why a subject cannot be measured here; the others can.
type missing struct{ error }

func (o options) raise(ctx context.Context) (st *stage, err error) {
	chosen, err := choose(subjects(), o.subjects)
	if err != nil {
		return nil, err
	}
	st = &stage{queueProxy: o.queueProxy}
	defer func() {
		if err != nil {
			err = errors.Join(err, st.close())
		}
	}()
	if st.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if st.dir, err = os.MkdirTemp("", "merlin-local-bench-"); err != nil {
		return nil, err
	}
	if st.backend, _, err = st.serve("backend"); err != nil {
		return nil, err
	}
	for _, c := range chosen {
		if err := st.add(ctx, c); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// add starts a subject and waits until it answers HTTP and gRPC as it should.
func (st *stage) add(ctx context.Context, c starter) error {
	s, err := c.start(ctx, st)
	if no := (missing{}); errors.As(err, &no) {
		st.left = append(st.left, fmt.Sprintf("%s is left out: %v", c.name, no))
		fmt.Fprintln(os.Stderr, st.left[len(st.left)-1])
		return nil
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	if err := s.ready(ctx); err != nil {
		return st.explain(s, fmt.Errorf("%s: %w", c.name, err))
	}
	st.subjects = append(st.subjects, s)
	return nil
}

const readyTimeout = 10 * time.Second

func (s *subject) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := s.probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-s.child.ended():
			return errors.New("it ended before it answered")
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		}
	}
}

// probe makes one request of each kind.
func (s *subject) probe(ctx context.Context) error {
	for _, open := range []opener{openHTTP(1), openGRPC(1, 1)} {
		callers, done, err := open(ctx, s)
		if err != nil {
			return err
		}
		_, err = callers[0]()
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

// explain adds what the subject's process said.
func (st *stage) explain(s *subject, err error) error {
	if s.child == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if said := s.child.log.String(); said != "" {
		return fmt.Errorf("%w; it said:\n%s", err, said)
	}
	return err
}

// run starts a subject's program.
func (st *stage) run(cmd *exec.Cmd) (*child, error) {
	c, err := startChild(cmd)
	if err == nil {
		st.children = append(st.children, c)
	}
	return c, err
}

// serve starts this program again as one of its own servers and returns where it
// listens. It ends when its standard input does, so also with this process.
func (st *stage) serve(what string) (string, *child, error) {
	cmd := exec.Command(st.self, serveCommand, what, st.backend)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	stdout, theirs, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	defer stdout.Close()
	cmd.Stdout = theirs
	c, err := st.run(cmd)
	_ = theirs.Close()
	if err != nil {
		return "", nil, err
	}
	c.stdin = stdin
	var address string
	if _, err := fmt.Fscanln(stdout, &address); err != nil {
		return "", nil, fmt.Errorf("%s did not say where it listens: %w", what, err)
	}
	return address, c, nil
}

// close ends every process, the last started first, and removes the folder.
func (st *stage) close() error {
	for i := len(st.children) - 1; i >= 0; i-- {
		st.children[i].stop()
	}
	if st.dir == "" {
		return nil
	}
	return os.RemoveAll(st.dir)
}

func startDirect(_ context.Context, st *stage) (*subject, error) {
	return &subject{name: "direct", http: st.backend, grpc: st.backend}, nil
}

func startOwn(name string) func(context.Context, *stage) (*subject, error) {
	return func(_ context.Context, st *stage) (*subject, error) {
		address, c, err := st.serve(name)
		return &subject{name: name, http: address, grpc: address, child: c}, err
	}
}
