package diagnose

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// find looks for a pattern from the last line on, and returns its groups.
func find(lines []string, pattern *regexp.Regexp) (groups []string, ok bool) {
	for i := len(lines) - 1; i >= 0; i-- {
		if m := pattern.FindStringSubmatch(lines[i]); m != nil {
			return m, true
		}
	}
	return nil, false
}

var (
	inUse       = regexp.MustCompile(`(?i)address (?:is )?already in use|EADDRINUSE|address in use`)
	portNumber  = regexp.MustCompile(`(?:[:\])'"]|port |, )(\d{2,5})\b`)
	readOnly    = regexp.MustCompile(`(?i)read-only file ?system|EROFS`)
	absent      = regexp.MustCompile(`(?i)no such file|FileNotFoundError|ENOENT|NoSuchFileException|does not exist|cannot find the (?:file|path)`)
	denied      = regexp.MustCompile(`(?i)permission denied|PermissionError|EACCES|AccessDeniedException`)
	anyPath     = regexp.MustCompile(`(?:^|[\s'"(=\[` + "`" + `])(/[\w.@%+-][\w.@%+/-]*)`)
	lacksLib    = regexp.MustCompile(`error while loading shared libraries: ([^\s:]+)|Error loading shared library ([^\s:]+)|([\w.+-]+\.so[\w.]*): cannot open shared object file|version .(GLIBC(?:XX)?_[\d.]+). not found`)
	lacksModule = regexp.MustCompile(`(?:ModuleNotFoundError: No module named|Cannot find (?:module|package)) '([^']+)'|ImportError: (.+)|(?:ClassNotFoundException|NoClassDefFoundError): ([\w./$]+)`)
)

func portInUse(e *Evidence) (Finding, bool) {
	line, ok := e.line(inUse)
	if !ok {
		return no()
	}
	why := "another server of the same container has the port already"
	if m := portNumber.FindStringSubmatch(line); m != nil {
		why = "another server of the same container has port " + m[1] + " already"
	}
	if !e.Isolated {
		why = strings.Replace(why, "of the same container ", "", 1)
	}
	return e.logged(why, "start one server only; metrics belong on the serving port, since production opens no other")
}

// line is the last one that holds a pattern.
func (e *Evidence) line(pattern *regexp.Regexp) (string, bool) {
	lines := e.words()
	for i := len(lines) - 1; i >= 0; i-- {
		if pattern.MatchString(lines[i]) {
			return lines[i], true
		}
	}
	return "", false
}

// inArtifact is a path under the artifact folder that a line holds, relative to it.
func (e *Evidence) inArtifact(line string) (string, bool) {
	if e.ArtifactLocation == "" {
		return "", false
	}
	_, after, ok := strings.Cut(line, e.ArtifactLocation)
	if !ok || after != "" && !strings.ContainsAny(after[:1], `/'": ,;)]`) {
		return "", false
	}
	end := strings.IndexAny(after, "'\"`:,;)] \t")
	if end < 0 {
		end = len(after)
	}
	return strings.Trim(after[:end], "/"), true
}

func readOnlyArtifact(e *Evidence) (Finding, bool) {
	line, ok := e.line(readOnly)
	if !ok {
		return no()
	}
	const next = "write somewhere else, such as /tmp: what is written is gone with the container, there as here"
	name, inside := e.inArtifact(line)
	switch {
	case inside:
		return e.logged(path.Join(e.ArtifactLocation, name)+" cannot be written: the artifact folder is read-only, in production too", next)
	case !anyPath.MatchString(line):
		return likely("it writes to a read-only file system, and only the artifact folder "+e.ArtifactLocation+" is one", next)
	}
	return no()
}

func missingLibrary(e *Evidence) (Finding, bool) {
	m, ok := find(e.words(), lacksLib)
	if !ok {
		return no()
	}
	name := firstOf(m[1:])
	if strings.HasPrefix(name, "GLIBC") {
		return e.logged("its program needs "+name+", and the image's libc is older", "build it in the image that it runs in, or on a newer base image")
	}
	return e.logged("the image has no shared library "+name, "install the package that has "+name+" in the image")
}

func missingModule(e *Evidence) (Finding, bool) {
	m, ok := find(e.words(), lacksModule)
	if !ok {
		return no()
	}
	if m[2] != "" {
		return e.logged("it cannot import: "+clip(m[2]), "install what it imports in the image, in the version that it needs")
	}
	name := firstOf(m[1:])
	return e.logged("the image has no module "+name, "add "+name+" to what the image installs, or check the working directory and PYTHONPATH")
}

func firstOf(groups []string) string {
	i := slices.IndexFunc(groups, func(g string) bool { return g != "" })
	return groups[i]
}

func missingArtifact(e *Evidence) (Finding, bool) {
	line, ok := e.line(absent)
	if !ok {
		return no()
	}
	name, inside := e.inArtifact(line)
	if !inside || name == "" || slices.Contains(e.Artifact, name) {
		return no()
	}
	why := fmt.Sprintf("%s is not in the artifact, which has %s", path.Join(e.ArtifactLocation, name), listed(e.Artifact))
	if other := e.sameFile(name); other != "" {
		return e.logged(why, "open "+path.Join(e.ArtifactLocation, other)+": it is model_dir's content that is mounted, not the folder itself")
	}
	return e.logged(why, "put "+name+" into model_dir, or open what is there")
}

// sameFile is another path of the artifact that ends as the missing one does.
func (e *Evidence) sameFile(name string) string {
	for _, there := range e.Artifact {
		if there != name && strings.EqualFold(path.Base(there), path.Base(name)) && !strings.HasSuffix(there, "/") {
			return there
		}
	}
	return ""
}

// mostListed bounds how many names are told.
const mostListed = 10

// listed are the names at the top of a folder.
func listed(paths []string) string {
	var top []string
	for _, p := range paths {
		if !strings.Contains(strings.TrimSuffix(p, "/"), "/") {
			top = append(top, p)
		}
	}
	switch {
	case len(top) == 0:
		return "nothing"
	case len(top) > mostListed:
		return strings.Join(top[:mostListed], ", ") + ", …"
	}
	return strings.Join(top, ", ")
}

func permission(e *Evidence) (Finding, bool) {
	line, ok := e.line(denied)
	if !ok || e.Exit != nil && e.Exit.Error != "" { // the Engine's is about the command
		return no()
	}
	if strings.Contains(line, "bind") || strings.Contains(line, "listen") {
		return e.logged(e.user()+" may not listen there: ports under 1024 are root's alone", "listen at the port in "+e.portVariable())
	}
	m := anyPath.FindStringSubmatch(line)
	if m == nil {
		return e.logged(e.user()+" is not allowed to: "+clip(line), "run as a user who is, or change the files' owner and mode in the image")
	}
	if name, inside := e.inArtifact(line); inside {
		return e.logged(e.user()+" may not write "+path.Join(e.ArtifactLocation, name)+": the artifact is read-only, its files have mode 0644", "write somewhere else, such as /tmp")
	}
	return e.logged(e.user()+" may not use "+m[1], "give it to that user in the image (COPY --chown, chmod), or write to /tmp")
}

func missingFile(e *Evidence) (Finding, bool) {
	line, ok := e.line(absent)
	if !ok {
		return no()
	}
	m := anyPath.FindStringSubmatch(line)
	if m == nil {
		return no()
	}
	where := "in the image"
	if !e.Isolated {
		where = "on this host"
	}
	return e.logged(m[1]+" is not "+where, "copy it into the image, or check the path; the artifact is at "+e.ArtifactLocation)
}
