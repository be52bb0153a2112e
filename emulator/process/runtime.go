// Package process runs a model as a process of this host, for machines without
// Docker. The model gets production's variables, but for its ports and its artifact
// folder, which are its own; it also sees the host's variables, files and network,
// and no limits hold. Differences says so.
//
// A process and all its children are one group: what ends, ends together, and a
// group that a killed session left behind is found by the record it kept.
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Differences is what a person must know of this runtime, in one line.
const Differences = "running as a process of this host, not as a container: no image, no memory or CPU limit, " +
	"no read-only artifact mount, own ports, and the host's variables, files and network are visible"

// Runtime is an emulator.Runtime.
type Runtime struct{ record *record }

// New returns a Runtime that names its running groups in the given file, for Sweep.
func New(path string) *Runtime { return &Runtime{&record{path: path}} }

// Image says that there is none.
func (r *Runtime) Image(context.Context, emulator.ImageSpec, func(event.Fact)) (emulator.Image, error) {
	return emulator.Image{}, nil
}

// Copies are none: a process sees the files themselves.
func (r *Runtime) Copies(*emulator.Build, string) []emulator.Copy { return nil }

// Place gives two free ports and the staged folder itself. Another program may take
// a port before the model does; its start then fails as it would for any port taken.
func (r *Runtime) Place(_ context.Context, spec emulator.PlaceSpec) (merlin.Place, error) {
	ports, err := freePorts(2)
	if err != nil {
		return merlin.Place{}, fmt.Errorf("find a free port: %w", err)
	}
	return merlin.Place{HTTPPort: ports[0], GRPCPort: ports[1], ArtifactLocation: spec.Artifact}, nil
}

// DebugPort gives a free port: the host's are everybody's.
func (r *Runtime) DebugPort(int) (int, error) {
	ports, err := freePorts(1)
	if err != nil {
		return 0, fmt.Errorf("find a free port for the debugger: %w", err)
	}
	return ports[0], nil
}

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() // not before all are found, so that they differ
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// Start runs the model's exec command with spec's variables over the host's.
func (r *Runtime) Start(_ context.Context, spec emulator.ContainerSpec) (emulator.Container, error) {
	command := spec.Model.Exec
	if command == "" {
		return nil, errors.New("it has no exec: exec: is the command that serves it without Docker")
	}
	stdout, stderr, err := pipes()
	if err != nil {
		return nil, err
	}
	defer stdout.write.Close()
	defer stderr.write.Close()
	if spec.Created != nil {
		spec.Created()
	}
	g, err := startGroup(spec.Model.Dir, command, append(os.Environ(), spec.Env...), stdout.write, stderr.write)
	if err != nil {
		stdout.read.Close()
		stderr.read.Close()
		return nil, err
	}
	c := &container{
		group: g, record: r.record, stdout: stdout.read, stderr: stderr.read,
		address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(spec.Port)),
		exited:  make(chan emulator.Exit, 1),
	}
	if spec.DebugPort > 0 {
		c.debugger = netip.AddrPortFrom(c.address.Addr(), uint16(spec.DebugPort))
	}
	go c.wait()
	if err := r.record.add(g.pid); err != nil {
		_ = c.Remove(context.Background())
		return nil, fmt.Errorf("record the process: %w", err)
	}
	return c, nil
}

// Watch returns at once: there is nothing between us and the processes.
func (r *Runtime) Watch(context.Context, func(event.Fact)) error { return nil }

// Tidy does nothing: what build.run makes is the user's own.
func (r *Runtime) Tidy(context.Context, func(event.Fact)) {}

// Sweep ends the groups that the record names and that still are the same.
func (r *Runtime) Sweep(context.Context) error {
	entries, err := r.record.entries()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.alive() {
			killGroup(entry.PID)
		}
	}
	return r.record.clear()
}

func replicaName(pid int) string { return "pid-" + strconv.Itoa(pid) }
