package main

import (
	"debug/elf"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/attach"
)

// What --debug says besides a debugger's name.
const (
	debugNone = "none"
	debugAuto = "auto"
)

func checkDebug(flag string) error {
	switch flag {
	case debugNone, debugAuto, string(emulator.Delve), string(emulator.Debugpy):
		return nil
	}
	return usageError{fmt.Errorf("--debug=%s: it is delve, debugpy or none, or without a value what debug in the file or the model's command tells", flag)}
}

// underDebugger has the models start as --debug says.
func (u *up) underDebugger(models []*emulator.Model) error {
	if u.debug == debugNone {
		return nil
	}
	for _, m := range models {
		d := &m.Debug
		d.On = true
		if kind := emulator.DebuggerKind(u.debug); u.debug != debugAuto && kind != d.Kind {
			d.Kind, d.Command = kind, "" // the file's is another debugger's
		}
		if m.Build != nil && d.Run != "" {
			m.Build.Run = d.Run
		}
		if m.OnHost {
			continue
		}
		var err error
		if d.Binary, err = dlvForContainers(d.Binary); err != nil {
			return fmt.Errorf("%s: debug.binary: %w", m.ID(), err)
		}
	}
	return nil
}

// dlvForContainers is the dlv that containers get: the one that is named, else that of
// this host's PATH where it can run in any container; empty where there is none.
func dlvForContainers(named string) (string, error) {
	if named != "" {
		return named, runsAnywhere(named)
	}
	found, err := exec.LookPath("dlv")
	if err != nil { // the image may have it
		return "", nil
	}
	if found, err = filepath.Abs(found); err != nil || runsAnywhere(found) != nil {
		return "", nil
	}
	return found, nil
}

// runsAnywhere tells why a program does not run in every Linux container of this
// machine's architecture.
func runsAnywhere(program string) error {
	f, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("%s is no program for Linux: build it with GOOS=linux CGO_ENABLED=0: %w", program, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs libraries that images may lack: build it with CGO_ENABLED=0", program)
		}
	}
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	if want, known := machines[runtime.GOARCH]; known && f.Machine != want {
		return fmt.Errorf("%s is for %s: build it with GOARCH=%s", program, f.Machine, runtime.GOARCH)
	}
	return nil
}

// listenForEditors takes a port of loopback for every model that is debugged: the
// debugger's own number, or the next free one.
func listenForEditors(models []*emulator.Model) (map[string]net.Listener, error) {
	listeners := map[string]net.Listener{}
	for _, m := range models {
		if !m.Debug.On {
			continue
		}
		first := m.Debug.InnerPort()
		if m.OnHost && m.Debug.NamesPort() {
			first++ // that one is the debugger's
		}
		listener, err := wish{fallback: first, names: "debug.port"}.listen()
		if err != nil {
			closeAll(listeners)
			return nil, fmt.Errorf("listen for editors: %w", err)
		}
		listeners[m.ID()] = listener
	}
	return listeners, nil
}

func closeAll(listeners map[string]net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// editors are the ports for them; suspend is called where one attaches or detaches.
func (s *upSession) editors(suspend func(model string, on bool)) map[string]*attach.Port {
	ports := map[string]*attach.Port{}
	for model, listener := range s.debuggers {
		ports[model] = attach.New(listener, func(on bool) { suspend(model, on) })
	}
	return ports
}

func debugPorts(editors map[string]*attach.Port) map[string]emulator.DebugPort {
	ports := map[string]emulator.DebugPort{}
	for model, editor := range editors {
		ports[model] = editor
	}
	return ports
}
