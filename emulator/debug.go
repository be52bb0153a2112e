package emulator

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// DebuggerKind says which debugger a model is started under.
type DebuggerKind string

// The kinds. An empty one is found out by the model's command.
const (
	Delve          DebuggerKind = "delve"
	Debugpy        DebuggerKind = "debugpy"
	CustomDebugger DebuggerKind = "custom" // the user's own command
)

// Debug is how a model is debugged.
type Debug struct {
	// On starts the model under the debugger; else the rest does nothing.
	On   bool
	Kind DebuggerKind
	// Command is put in front of the container's own; empty is the kind's. It is cut at
	// every space, and $(DEBUG_PORT) in it is where the debugger has to listen.
	Command string
	// Port is where the debugger listens inside; 0 is the kind's.
	Port int
	// Binary is a dlv of this host, absolute, that containers get; empty is the image's.
	Binary string
	// Run replaces Build.Run; empty leaves it.
	Run string
}

// debugPort stands in a command for where the debugger has to listen.
const debugPort = "$(DEBUG_PORT)"

// InnerPort is where the debugger listens where its command names no other.
func (d Debug) InnerPort() int {
	switch {
	case d.Port > 0:
		return d.Port
	case d.Kind == Debugpy:
		return 5678
	}
	return 40000
}

// NamesPort tells that the debugger's command names its port itself.
func (d Debug) NamesPort() bool {
	return d.Command != "" && !strings.Contains(d.Command, debugPort)
}

// inContainer is where a container has the dlv of this host.
const inContainer = "/.merlin-local/dlv"

// debugged is a model's command under its debugger.
type debugged struct {
	Debug
	host    string // where it listens; empty is everywhere
	port    int
	program string // dlv
}

// command returns the words with the debugger's in front of them.
func (d debugged) command(words []string) []string {
	switch {
	case d.Command != "":
		prefix := strings.Split(strings.TrimSpace(d.Command), " ")
		for i := range prefix {
			prefix[i] = strings.ReplaceAll(prefix[i], debugPort, strconv.Itoa(d.port))
		}
		return append(prefix, words...)
	case d.Kind == Debugpy:
		return d.python(words)
	}
	return append([]string{
		d.program, "exec", "--headless", "--listen=" + d.listen(), "--api-version=2",
		"--accept-multiclient", "--continue", "--check-go-version=false", "--",
	}, words...)
}

func (d debugged) listen() string {
	host := d.host
	if host == "" && d.Kind == Debugpy { // which takes no host as loopback
		host = "0.0.0.0"
	}
	return host + ":" + strconv.Itoa(d.port)
}

// python puts debugpy between the interpreter, with its own flags, and the program. What
// is a module's command, such as uvicorn, is run as that module.
func (d debugged) python(words []string) []string {
	if len(words) == 0 {
		return words
	}
	debugpy := []string{"-m", "debugpy", "--listen", d.listen()}
	first := words[0]
	switch {
	case isInterpreter(first):
		own := 1 + interpreterFlags(words[1:])
		return slices.Concat(words[:own], debugpy, words[own:])
	case strings.HasSuffix(first, ".py"):
		return slices.Concat([]string{"python3"}, debugpy, words)
	}
	interpreter := "python3"
	if path.IsAbs(first) { // of its virtual environment
		interpreter = path.Join(path.Dir(first), interpreter)
	}
	return slices.Concat([]string{interpreter}, debugpy, []string{"-m", path.Base(first)}, words[1:])
}

// interpreterFlags counts those in front of a script, -m or -c.
func interpreterFlags(words []string) int {
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case !strings.HasPrefix(w, "-"), w == "-", strings.HasPrefix(w, "-m"), strings.HasPrefix(w, "-c"):
			return i
		case w == "-W", w == "-X":
			i++ // its value
		}
	}
	return 0 // no program: nothing to put in front of
}

func isInterpreter(word string) bool {
	version, ok := strings.CutPrefix(path.Base(word), "python")
	return ok && strings.Trim(version, "0123456789.") == ""
}

// pythonCommands are those of packages that are Python programs.
var pythonCommands = []string{"uvicorn", "gunicorn", "hypercorn", "fastapi", "flask"} //nolint:gochecknoglobals // a constant

// kindOf finds out which debugger a command takes. root is where the sources are.
func (d Debug) kindOf(words []string, roots ...string) (DebuggerKind, error) {
	switch {
	case d.Kind != "":
		return d.Kind, nil
	case d.Command != "":
		return CustomDebugger, nil
	case len(words) == 0:
		return "", fmt.Errorf("it has no command")
	}
	first := words[0]
	if isInterpreter(first) || strings.HasSuffix(first, ".py") || slices.Contains(pythonCommands, path.Base(first)) {
		return Debugpy, nil
	}
	for _, root := range roots {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); root != "" && err == nil {
			return Delve, nil
		}
	}
	return "", fmt.Errorf("its command is %s, which is no Python, and there is no go.mod", strings.Join(words, " "))
}

// words is the whole command of a container.
func (s ContainerSpec) words() []string {
	switch {
	case s.Command != nil:
		return slices.Concat(s.Command, s.Args)
	case s.Args != nil:
		return slices.Concat(s.Image.Entrypoint, s.Args)
	}
	return slices.Concat(s.Image.Entrypoint, s.Image.Cmd)
}

// lastCommand cuts a shell's line in front of its last command's own words.
func lastCommand(line string) (before, command string) {
	at := 0
	for _, end := range []string{"&&", "||", ";", "|"} {
		if i := strings.LastIndex(line, end); i >= 0 {
			at = max(at, i+len(end))
		}
	}
	rest := strings.TrimLeft(line[at:], " \t\n")
	if own, ok := strings.CutPrefix(rest, "exec "); ok {
		rest = strings.TrimLeft(own, " ")
	}
	return line[:len(line)-len(rest)], rest
}
