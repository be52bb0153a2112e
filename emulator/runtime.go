package emulator

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Runtime is what runs models: the Docker Engine, or processes of this host.
type Runtime interface {
	// Image makes sure that the image is there: it builds it where spec.Build is
	// set, else pulls it if it is missing. It calls report with every step, from
	// one goroutine at a time.
	Image(ctx context.Context, spec ImageSpec, report func(event.Fact)) (Image, error)
	// Copies tells what the last COPY lines of a build's Dockerfile do, as far as that
	// is plain; workdir is the image's. None where nothing is.
	Copies(b *Build, workdir string) []Copy
	// Place tells where a replica will find its ports and its artifact, before it
	// is started: production's values, or a host process's own.
	Place(ctx context.Context, spec PlaceSpec) (merlin.Place, error)
	// DebugPort is where a replica's debugger is to listen: as wanted, or on a free port
	// where replicas share the host's.
	DebugPort(wanted int) (int, error)
	// Start creates and starts a replica. On an error nothing is left behind.
	Start(ctx context.Context, spec ContainerSpec) (Container, error)
	// Watch reports trouble of what runs the models, as event.Engine, until ctx ends.
	// It returns at once where there can be none.
	Watch(ctx context.Context, report func(event.Fact)) error
	// Tidy removes what the builds of older revisions left besides their images, as far as
	// that is certainly this session's, and reports what is in the way. It may take a
	// while, and is for when nobody waits.
	Tidy(ctx context.Context, report func(event.Fact))
	// Sweep removes everything that carries the session's label: what an earlier,
	// killed run of the same session left behind.
	Sweep(ctx context.Context) error
}

// ErrEngineAway says that what runs the models does not answer at all, and that it is
// worth trying again.
var ErrEngineAway = errors.New("the Docker Engine does not answer")

// Container is one running replica. Its methods are safe for concurrent use.
type Container interface {
	// Started describes the replica; it does not change.
	Started() event.Started
	// Address is where the host reaches its serving port.
	Address() netip.AddrPort
	// DebugAddress is where the host reaches its debugger; not valid where it has none.
	DebugAddress() netip.AddrPort
	// Logs copies its output from the start until it ends or ctx does.
	Logs(ctx context.Context, stdout, stderr io.Writer) error
	// Usage calls sample, from one goroutine at a time, with what it takes of the
	// machine, again and again until it has ended or ctx has. It returns at once where
	// that cannot be known.
	Usage(ctx context.Context, sample func(event.Usage)) error
	// OOMs receives for every process of it that the kernel killed for the memory
	// limit; nil where that cannot be known.
	OOMs() <-chan struct{}
	// Listening are the sockets that it listens at, as it sees them itself. It is
	// errors.ErrUnsupported where that cannot be known.
	Listening(ctx context.Context) ([]netip.AddrPort, error)
	// Exited receives exactly once, when the replica has ended by whatever cause.
	Exited() <-chan Exit
	// Stop asks it to end (SIGTERM), kills it after grace, and waits for the end.
	// Stopping an ended replica is no error.
	Stop(ctx context.Context, grace time.Duration) error
	// Remove deletes what is left of it; it kills it where it still runs.
	Remove(ctx context.Context) error
}

// Exit tells how a replica ended.
type Exit struct {
	Code      int    // 128+n where signal n ended it
	OOMKilled bool   // the kernel killed it, or a child, for its memory limit
	Error     string // the Engine's words where it could not even start
	// WithEngine tells that the Engine went away then: a stop or restart of it ended
	// the replica, and Code is not the model's own.
	WithEngine bool
	// Fault is what killed it on purpose; empty where nothing did.
	Fault string
}

// ImageSpec asks for an image.
type ImageSpec struct {
	Model *Model
	// Revision is the local revision, for the labels.
	Revision int
	// Keep is the ID of an image that is still needed, besides the newest two.
	Keep string
}

// Image is an image that is there.
type Image struct {
	ID           string // sha256:…; empty for a host process
	Reference    string // as asked for, or the tag given to what was built
	Architecture string
	Entrypoint   []string
	WorkingDir   string
	Cmd          []string
	User         string   // whom it runs as; empty is root
	Env          []string // NAME=value, the image's own
	// EngineArchitecture is what runs it.
	EngineArchitecture string
	Size               int64    // bytes on the Engine's disk, unpacked
	Exposed            []string // of EXPOSE, as 8080/tcp, in order
	HealthCheck        bool     // it has a HEALTHCHECK, which Kubernetes ignores
}

// PlaceSpec asks where a replica's ports and artifact will be.
type PlaceSpec struct {
	Model    *Model
	Artifact string // the staged folder on this host
}

// ContainerSpec asks for a replica. Variables, command and args are final:
// expanded, in order.
type ContainerSpec struct {
	Model    *Model
	Pod      string // whose it is, as events name it
	Revision int
	Image    Image
	Env      []string // NAME=value, in production's order
	// Command replaces the image's ENTRYPOINT and drops its CMD; Args replaces
	// CMD. Nil keeps the image's own.
	Command, Args []string
	User          string // replaces the image's own; empty keeps it
	Port          int    // the serving port inside
	Hostname      string // as the pod's name, cut as the kubelet cuts it
	Artifact      string // host folder, mounted read-only at /mnt/models
	Files         []File // copied over the image's own before it starts
	CPUMillis     int64  // limit in thousandths of a core; 0 is none
	CPULimit      string // the same as Kubernetes prints it
	MemoryBytes   int64  // limit; 0 is none
	MemoryLimit   string // the same as Kubernetes prints it
	DebugPort     int    // where its debugger listens inside; 0 is none
	Ptrace        bool   // its processes may trace each other
	// Created is called once the replica exists, before it is started.
	Created func()
}

// File is one of this host that a container gets besides its image.
type File struct {
	Source string // absolute
	Landing
}

// Router is the port's side of a model's life; proxy.Server satisfies it.
type Router interface {
	// Route sends the model's requests to these replicas, and frees those held.
	Route(model string, revision int, replicas []netip.AddrPort)
	// Hold keeps the model's requests waiting for the next Route.
	Hold(model string)
	// Fail answers the model's requests, those held too, with why.
	Fail(model, why string)
	// Drain waits until no request runs on the model's replicas at these addresses (or
	// at all, where none is given), or ctx ends. They are not routed any more.
	Drain(ctx context.Context, model string, replicas ...netip.AddrPort) error
	// Farewell begins to watch the requests on a replica that is about to end. What it
	// returns waits for the end of all, or of ctx, and tells how many of them the
	// replica did not answer, or not to the end.
	Farewell(model string, replica netip.AddrPort) (cut func(ctx context.Context) int)
}

// ProbeResult is the outcome of one attempt.
type ProbeResult = event.Probed

// Prober asks a container once. It sets what it found out, not whose probe it is.
type Prober interface {
	Probe(ctx context.Context, check Check, address netip.AddrPort) ProbeResult
}

// Stager copies a model's artifact to a folder of its own that can be mounted.
type Stager interface {
	Stage(ctx context.Context, modelDir string, properties []byte) (folder string, remove func() error, err error)
}
