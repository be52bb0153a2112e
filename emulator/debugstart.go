package emulator

import (
	"net/netip"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// DebugPort is where editors find a model's debugger; attach.Port satisfies it.
type DebugPort interface {
	// Address is the port on this host's loopback.
	Address() netip.AddrPort
	// Offer has editors reach a debugger, until it is withdrawn.
	Offer(debugger netip.AddrPort) (withdraw func())
}

// underDebugger changes a spec so that the model starts under its debugger.
func (p *pod) underDebugger(spec *ContainerSpec) error {
	d := debugged{Debug: p.model.Debug, program: "dlv"}
	before, words := "", spec.words()
	if p.model.OnHost {
		var command string
		before, command = lastCommand(p.model.Exec)
		words, d.host = strings.Split(command, " "), "127.0.0.1"
	}
	var err error
	if d.Kind, err = d.kindOf(words, p.model.Dir, p.model.context()); err != nil {
		return p.notDebugged(err.Error(), "name the debugger, --debug=delve or --debug=debugpy, or write its command as debug.command")
	}
	if len(words) == 0 {
		return p.notDebugged("it has no command", "give the image an ENTRYPOINT, or write command")
	}
	if d.port = d.InnerPort(); !d.NamesPort() {
		if d.port, err = p.Runtime.DebugPort(d.port); err != nil {
			return err
		}
	}
	binary := p.hostBinary(words[0])
	if d.Kind == Delve && binary != "" && !p.model.OnHost && // exec may make it anew
		!hasDebugInfo(binary) {
		return p.notDebugged(p.model.shown(binary)+" has no debug information", `build it without -ldflags="-s -w" and with -gcflags="all=-N -l": debug.run is build.run for this`)
	}
	switch {
	case d.Binary == "" || d.Kind != Delve || d.Command != "":
	case p.model.OnHost:
		d.program = d.Binary
	default:
		d.program = inContainer
		spec.Files = append(spec.Files, File{d.Binary, Landing{To: inContainer, Mode: 0o755}})
	}
	words = d.command(words)
	spec.DebugPort, spec.Ptrace = d.port, d.Kind != Debugpy
	spec.Command, spec.Args = words, nil
	if p.model.OnHost {
		model := *p.model
		model.Exec = before + strings.Join(words, " ")
		spec.Model = &model
		spec.Command = nil
	}
	p.debugger = d
	p.tellDebugger(d, binary)
	return nil
}

// isDebuggers tells the sockets of a container that are its debugger's: the one for
// editors, and of debugpy those that its own processes meet at.
func (p *pod) isDebuggers(socket netip.AddrPort) bool {
	own := int(socket.Port())
	switch {
	case p.debugger.port == 0:
		return false
	case own == p.debugger.port:
		return true
	}
	return p.debugger.Kind == Debugpy && socket.Addr().IsLoopback() && own != p.spec.Port
}

// context is the build's folder; empty where there is none.
func (m *Model) context() string {
	if m.Build == nil {
		return ""
	}
	return m.Build.Context
}

func (p *pod) notDebugged(why, next string) error {
	f := &Failure{Model: p.id, What: "cannot be debugged", Why: why, Next: next}
	return f.because(event.CauseNotStarted)
}

func (p *pod) tellDebugger(d debugged, binary string) {
	port := p.DebugPorts[p.id]
	if port == nil {
		return
	}
	f := event.Debugger{Kind: string(d.Kind), Address: port.Address().String()}
	f.Launch, f.Note = p.launch(d.Kind, port.Address(), binary)
	p.publish(f)
}

// offerDebugger has editors reach the container's debugger until it is withdrawn.
func (c *incarnation) offerDebugger() (withdraw func()) {
	port, debugger := c.DebugPorts[c.id], c.container.DebugAddress()
	if port == nil || !debugger.IsValid() {
		return func() {}
	}
	return port.Offer(debugger)
}

// hint names what a debugged container lacks where that is why it ended.
func (c *incarnation) hint(card *event.Failed, logs []string) {
	d := c.model.Debug
	if !d.On || card.Exit == nil {
		return
	}
	log := strings.Join(logs, "\n")
	switch {
	case strings.Contains(log, "No module named debugpy"):
		card.Why, card.Cause, card.Certainty = "debugpy is not installed where the model runs", event.CauseMissingModule, event.Certain
		card.Next = "add `RUN pip install debugpy` to the Dockerfile (`pip install debugpy` without Docker), or up without --debug"
	case card.Cause == event.CauseCommandNotFound && d.Binary == "" && strings.Contains(card.Why+card.Exit.Error+log, "dlv"):
		card.Next = "install dlv on this host, CGO_ENABLED=0 go install github.com/go-delve/delve/cmd/dlv@latest, and it is put into the container; or add it to the image"
	}
}
