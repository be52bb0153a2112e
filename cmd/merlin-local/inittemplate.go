package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/config"
)

// fromTemplate makes the new repo in dir, which the person wrote as shown.
func (i *initRepo) fromTemplate(c *cobra.Command, dir, shown string) error {
	t := templates()[0]
	if i.template != "" {
		var err error
		if t, err = templateNamed(i.template); err != nil {
			return err
		}
	}
	if err := mustBeEmpty(dir); err != nil {
		return err
	}
	model := config.ModelName(filepath.Base(dir))
	for _, f := range t.files(model) {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make the new model repo: %w", err)
		}
		if err := writeNew(path, f.Data, modeOf(f.Data)); err != nil {
			return fmt.Errorf("make the new model repo: %w", err)
		}
	}
	out := c.OutOrStdout()
	if i.template == "" {
		fmt.Fprintf(out, "no --template is given, so it is %s; there are %s\n", t.name, strings.Join(templateNames(), ", "))
	}
	_, err := fmt.Fprintf(out, "made the model %s in %s: %s\nnext:\n%s", model, shown, t.about, t.next(shown))
	return err
}

// next are the commands that follow, to be pasted.
func (t template) next(dir string) string {
	var lines strings.Builder
	if filepath.Clean(dir) != "." {
		fmt.Fprintf(&lines, "  cd %s\n", shownDir(dir))
	}
	lines.WriteString(t.before)
	lines.WriteString("  merlin-local up\n  merlin-local predict    # in another shell: sends request.json\n")
	return lines.String()
}

// shownDir is quoted where a shell would read it otherwise.
func shownDir(dir string) string {
	if strings.ContainsAny(dir, " \t\n'\"\\$`*?[](){}<>|&;#~!") {
		return quote(dir)
	}
	return dir
}

// mustBeEmpty takes a folder that is not there, or that has nothing in it but git's own.
func mustBeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the new model repo: %w", err)
	}
	for _, e := range entries {
		if e.Name() != ".git" {
			return fmt.Errorf("%s is not empty: it has %s; name a new folder, as nothing is overwritten", dir, e.Name())
		}
	}
	return nil
}

// modeOf makes a script executable, as the archive has no modes.
func modeOf(content []byte) os.FileMode {
	if bytes.HasPrefix(content, []byte("#!")) {
		return 0o755
	}
	return 0o644
}
