package docker

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/caraml-dev/merlin-local/emulator"
)

// Copies tells what the last COPY lines of a build's Dockerfile do, as far as that is
// plain: what they copy can be copied into a container too. workdir is the image's.
// What only a build can tell comes as a copy to nowhere; no copies at all mean that
// nothing is plain.
func (r *Runtime) Copies(b *emulator.Build, workdir string) []emulator.Copy {
	text, err := os.ReadFile(b.Dockerfile)
	if err != nil {
		return nil // the build has told why
	}
	all, err := copies(text, b.Target, workdir)
	if err != nil {
		return nil
	}
	return all
}

func copies(dockerfile []byte, target, workdir string) ([]emulator.Copy, error) {
	parsed, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return nil, fmt.Errorf("read the Dockerfile: %w", err)
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, fmt.Errorf("read the Dockerfile: %w", err)
	}
	stage, ok := built(stages, target)
	if !ok || len(stages) == 0 {
		return nil, nil
	}
	reader := &copyReader{workdir: workdir}
	for _, other := range stages[:stage] { // it may take what they made of the files
		if touchesContext(other) {
			return nil, nil
		}
	}
	if relative := firstWorkdir(stages[stage]); relative {
		reader.workdir = "" // the base's own is not known before the first WORKDIR
	}
	for _, command := range stages[stage].Commands {
		if !reader.read(command) {
			return nil, nil
		}
	}
	return append(reader.consumed, reader.plain...), nil
}

// built is the index of the stage that the image is made of.
func built(stages []instructions.Stage, target string) (int, bool) {
	if target == "" {
		return len(stages) - 1, true
	}
	return instructions.HasStage(stages, target)
}

// touchesContext tells whether a stage may see the build context.
func touchesContext(s instructions.Stage) bool {
	for _, command := range s.Commands {
		switch c := command.(type) {
		case *instructions.CopyCommand:
			if c.From == "" {
				return true
			}
		case *instructions.AddCommand:
			return true
		case *instructions.RunCommand:
			if mountsContext(c) {
				return true
			}
		}
	}
	return false
}

// mountsContext errs on the safe side: a mount of any kind may show the context.
func mountsContext(c *instructions.RunCommand) bool {
	for _, flag := range c.FlagsUsed {
		if flag == "mount" {
			return true
		}
	}
	return false
}

// firstWorkdir tells whether a stage sets its folder: the image's own is then not the
// one that its first lines saw.
func firstWorkdir(s instructions.Stage) bool {
	for _, command := range s.Commands {
		if _, ok := command.(*instructions.WorkdirCommand); ok {
			return true
		}
	}
	return false
}

// copyReader goes through the commands of a stage.
type copyReader struct {
	workdir  string // empty where it is not known
	plain    []emulator.Copy
	consumed []emulator.Copy // to nowhere: a RUN or an ADD has made something of them
}

// read takes one command in; false where nothing is plain any more.
func (r *copyReader) read(command instructions.Command) bool {
	switch c := command.(type) {
	case *instructions.WorkdirCommand:
		return r.enter(c.Path)
	case *instructions.CopyCommand:
		if c.From == "" {
			return r.copy(c)
		}
	case *instructions.AddCommand:
		return r.add(c)
	case *instructions.RunCommand:
		r.consume()
		return !mountsContext(c)
	}
	return true
}

func (r *copyReader) enter(folder string) bool {
	switch {
	case strings.Contains(folder, "$"):
		r.workdir = ""
	case path.IsAbs(folder):
		r.workdir = path.Clean(folder)
	case r.workdir != "":
		r.workdir = path.Join(r.workdir, folder)
	}
	return true
}

// consume is what a RUN does: it may read all that was copied before it.
func (r *copyReader) consume() {
	for _, c := range r.plain {
		r.consumed = append(r.consumed, emulator.Copy{From: c.From})
	}
	r.plain = nil
}

func (r *copyReader) add(c *instructions.AddCommand) bool {
	for _, from := range c.SourcePaths {
		if strings.Contains(from, "$") {
			return false
		}
		r.consumed = append(r.consumed, emulator.Copy{From: from})
	}
	return true
}

// plainMode is a --chmod, plainOwner a --chown, that needs no look into the image.
var (
	plainMode  = regexp.MustCompile(`^[0-7]{3,4}$`)
	plainOwner = regexp.MustCompile(`^([0-9]+)(?::([0-9]+))?$`)
)

func (r *copyReader) copy(c *instructions.CopyCommand) bool {
	copied := emulator.Copy{To: r.destination(c)}
	if owner := plainOwner.FindStringSubmatch(c.Chown); owner != nil {
		copied.UID, _ = strconv.Atoi(owner[1])
		copied.GID, _ = strconv.Atoi(strings.TrimPrefix(c.Chown, owner[1]+":"))
		if owner[2] == "" {
			copied.GID = copied.UID
		}
	} else if c.Chown != "" {
		copied.To = ""
	}
	if plainMode.MatchString(c.Chmod) {
		copied.Mode, _ = strconv.ParseInt(c.Chmod, 8, 64)
	} else if c.Chmod != "" {
		copied.To = ""
	}
	for _, from := range c.SourcePaths {
		if strings.Contains(from, "$") {
			return false
		}
		copied.From = from
		r.plain = append(r.plain, copied)
	}
	return true
}

// destination is where a COPY line puts its files; empty where that is not plain.
func (r *copyReader) destination(c *instructions.CopyCommand) string {
	to := c.DestPath
	if c.Parents || len(c.ExcludePatterns) > 0 || strings.Contains(to, "$") {
		return ""
	}
	folder := strings.HasSuffix(to, "/") || path.Base(to) == "." || len(c.SourcePaths) > 1
	if !path.IsAbs(to) {
		if r.workdir == "" {
			return ""
		}
		to = path.Join(r.workdir, to)
	}
	to = path.Clean(to)
	if folder && to != "/" {
		to += "/"
	}
	return to
}
