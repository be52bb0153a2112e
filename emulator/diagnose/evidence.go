package diagnose

import (
	"net/netip"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Evidence is what is known of a model that does not serve. What is zero is not known.
// Its texts are without secrets, since findings quote them.
type Evidence struct {
	Asked
	Exit  *Exit        // nil where its container runs
	Probe event.Probed // the last attempt for readiness
	Logs  []string     // the last lines
	// LastError is the last of standard error: the order of lines between the two
	// streams is not sure.
	LastError string

	MemoryPeak, MemoryLimit int64 // bytes

	// Listening are the container's listening sockets, where SocketsKnown.
	Listening    []netip.AddrPort
	SocketsKnown bool
	// Speech is what the serving port talks.
	Speech Speech
	// Answers are those of other paths than the probe's; nil where none was asked for.
	Answers []Answer
}

// Asked is what the model was given, and so what it should have done.
type Asked struct {
	UPI       bool // gRPC is wanted, else HTTP/1.1
	Port      int  // where it should listen
	OtherPort int  // the other protocol's
	// Isolated tells a container, with a network and a mount of its own, from a
	// process of this host.
	Isolated bool
	// Published tells that a proxy of the Engine takes the connections, and closes
	// them where nobody listens behind it.
	Published bool

	Model, VersionName, FullName, Service string // Service is K_SERVICE; empty where there is none

	Variables []string // the names of all that are set
	Command   []string // the model's own, cut as Merlin does; empty where it is the image's
	Args      []string

	User                                  string // the image's; empty is root
	ImageArchitecture, EngineArchitecture string

	ArtifactLocation string
	Artifact         []string // the paths in it, folders with a slash; not all where there are many
}

// Exit is how a container ended.
type Exit struct {
	Code      int
	OOMKilled bool
	Error     string // the Engine's words, where it could not start
	Stopped   string // why it was ended from here; empty where it was not
	Fault     string // that killed it; empty where none did
}

// Speech is what a port answers to the first bytes of a protocol.
type Speech struct{ HTTP1, HTTP2, TLS bool }

// Answer is a status that a path gave.
type Answer struct {
	Candidate
	Status int
}

// portVariable names the variable that holds the right port.
func (a *Asked) portVariable() string {
	if a.UPI {
		return "CARAML_GRPC_PORT"
	}
	return "CARAML_HTTP_PORT"
}

// user is whom the image's processes run as, in words.
func (a *Asked) user() string {
	if a.User == "" {
		return "root"
	}
	return "the image's user " + a.User
}

// readable is the evidence with log lines as a person reads them.
func (e Evidence) readable() *Evidence {
	lines := make([]string, 0, len(e.Logs))
	for _, line := range e.Logs {
		lines = append(lines, strings.TrimRight(ansi.Strip(line), " \t\r"))
	}
	e.Logs = lines
	return &e
}

// words are all that was written or said at the end: the log's last lines, and the
// Engine's own.
func (e *Evidence) words() []string {
	if e.Exit == nil || e.Exit.Error == "" {
		return e.Logs
	}
	return append(append([]string(nil), e.Logs...), e.Exit.Error)
}

// lastLine is the last one that says something, of standard error where it has one.
func (e *Evidence) lastLine() string {
	if line := strings.TrimSpace(ansi.Strip(e.LastError)); line != "" {
		return clip(line)
	}
	for i := len(e.Logs) - 1; i >= 0; i-- {
		if line := strings.TrimSpace(e.Logs[i]); line != "" {
			return clip(line)
		}
	}
	return ""
}

// refused tells that nobody took the last probe's connection.
func (e *Evidence) refused() bool {
	switch e.Probe.Outcome {
	case "connection refused":
		return true
	case "connection closed without an answer", "connection reset":
		return e.Published && !e.SocketsKnown
	}
	return e.SocketsKnown && e.Probe.Status == 0 && !e.listensOnPort()
}

// listensOnPort tells whether a socket has the right port, at whatever address.
func (e *Evidence) listensOnPort() bool {
	for _, s := range e.Listening {
		if int(s.Port()) == e.Port {
			return true
		}
	}
	return false
}

// quoteLimit bounds what a finding quotes of foreign text, in bytes.
const quoteLimit = 240

func clip(text string) string {
	if len(text) <= quoteLimit {
		return text
	}
	return strings.ToValidUTF8(text[:quoteLimit], "") + "…"
}
