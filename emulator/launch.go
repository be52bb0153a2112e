package emulator

import (
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// workspace is the model repo, as an editor that has it open calls it.
const workspace = "${workspaceFolder}"

// launchConfiguration is one of VS Code's, which most editors understand.
type launchConfiguration struct {
	Name           string           `json:"name"`
	Type           string           `json:"type"`
	Request        string           `json:"request"`
	Mode           string           `json:"mode,omitempty"`
	Host           string           `json:"host,omitempty"`
	Port           int              `json:"port,omitempty"`
	SubstitutePath []substitutePath `json:"substitutePath,omitempty"`
	Connect        *connectTo       `json:"connect,omitempty"`
	PathMappings   []pathMapping    `json:"pathMappings,omitempty"`
}

type substitutePath struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type connectTo struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

type pathMapping struct {
	LocalRoot  string `json:"localRoot"`
	RemoteRoot string `json:"remoteRoot"`
}

// launch makes a launch configuration, and a note on what it does not know. binary is the
// model's on this host; empty where it is not known.
func (p *pod) launch(kind DebuggerKind, at netip.AddrPort, binary string) (configuration json.RawMessage, note string) {
	l := launchConfiguration{Name: "merlin-local " + p.id, Request: "attach"}
	switch kind {
	case Delve:
		l.Type, l.Mode, l.Host, l.Port = "go", "remote", at.Addr().String(), int(at.Port())
		l.SubstitutePath, note = p.substitutes(binary)
	case Debugpy:
		l.Type, l.Connect = "debugpy", &connectTo{at.Addr().String(), int(at.Port())}
		if l.PathMappings = p.model.pathMappings(p.copies); len(l.PathMappings) == 0 && !p.model.OnHost {
			note = "no plain COPY line says where the sources are in the image: add pathMappings"
		}
	default:
		return nil, ""
	}
	configuration, err := json.Marshal(l)
	if err != nil { // of strings and numbers alone
		return nil, err.Error()
	}
	return configuration, note
}

// substitutes maps the repo's sources to what the binary calls them: their own place, or
// the module's path where it was built with -trimpath.
func (p *pod) substitutes(binary string) (paths []substitutePath, note string) {
	info, err := buildinfo.ReadFile(binary)
	switch {
	case binary == "" && p.model.OnHost:
		return nil, ""
	case err != nil:
		return nil, "the binary is built in the image: add substitutePath from " + workspace + " to the folder that it is built in"
	}
	for _, s := range info.Settings {
		if s.Key == "-trimpath" && s.Value == "true" && info.Main.Path != "" {
			return []substitutePath{{workspace, info.Main.Path}}, ""
		}
	}
	return nil, ""
}

// pathMappings are where the image has the repo's sources, by its plain COPY lines, each
// pair once and folders before what is in them.
func (m *Model) pathMappings(copies []Copy) []pathMapping {
	if m.Build == nil {
		return nil
	}
	context, ok := relative(m.Dir, m.Build.Context)
	if !ok {
		return nil
	}
	var all []pathMapping
	known := map[pathMapping]bool{}
	for _, c := range copies {
		local, remote := mapped(m.Build.Context, c)
		if remote == "" {
			continue
		}
		pair := pathMapping{strings.TrimSuffix(path.Join(workspace, context, local), "/"), remote}
		if !known[pair] {
			known[pair] = true
			all = append(all, pair)
		}
	}
	return all
}

// mapped is the folder of the context that a copy takes, and where it has it; nothing
// where that is not plain.
func mapped(context string, c Copy) (local, remote string) {
	from := cleanFrom(c.From)
	switch {
	case c.To == "":
		return "", ""
	case from == "" || isFolder(filepath.Join(context, filepath.FromSlash(from))):
		return from, path.Clean(c.To)
	case strings.HasSuffix(c.To, "/"):
		return path.Dir(from), path.Clean(c.To)
	case path.Base(from) == path.Base(c.To):
		return path.Dir(from), path.Dir(c.To)
	}
	return "", ""
}

// hostBinary is the model's program on this host, where it is known: exec's own, or what a
// plain COPY line puts where the container starts it.
func (p *pod) hostBinary(word string) string {
	if p.model.OnHost {
		return existing(filepath.Join(p.model.Dir, filepath.FromSlash(word)))
	}
	if p.model.Build == nil {
		return ""
	}
	for _, c := range p.copies {
		from := cleanFrom(c.From)
		if to, ok := c.lands(from); ok && to == path.Clean(word) {
			return existing(filepath.Join(p.model.Build.Context, filepath.FromSlash(from)))
		}
	}
	return ""
}

// hasDebugInfo is false for a Linux binary that was stripped; what cannot be read has the
// benefit of the doubt.
func hasDebugInfo(binary string) bool {
	f, err := elf.Open(binary)
	if err != nil {
		return true
	}
	defer f.Close()
	return f.Section(".debug_info") != nil || f.Section(".zdebug_info") != nil
}

func existing(file string) string {
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return ""
	}
	return file
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
