package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// longestInput is more than what is taken: the reader of manifests says so.
const longestInput = 8 << 20

func (i *initRepo) fromManifests(c *cobra.Command, base, dir string) error {
	src, name, err := i.input(c, base)
	if err != nil {
		return err
	}
	draft, err := config.FromManifests(name, src)
	if err != nil {
		return err
	}
	if err := i.write(c, dir, draft); err != nil {
		return err
	}
	for _, lost := range draft.Lost {
		fmt.Fprintln(c.ErrOrStderr(), prose.Clean(lost.Error()))
	}
	return nil
}

func (i *initRepo) input(c *cobra.Command, base string) (src []byte, name string, err error) {
	in, name := c.InOrStdin(), "stdin"
	if i.from != "-" {
		f, err := os.Open(under(base, i.from))
		if err != nil {
			return nil, "", usageError{fmt.Errorf("read the manifests: %w", err)}
		}
		defer f.Close()
		in, name = f, i.from
	}
	src, err = io.ReadAll(io.LimitReader(in, longestInput))
	if err != nil {
		return nil, "", fmt.Errorf("read the manifests: %w", err)
	}
	return src, name, nil
}

func (i *initRepo) write(c *cobra.Command, dir string, draft *config.Draft) error {
	if i.output == "-" {
		_, err := c.OutOrStdout().Write(draft.Text)
		return err
	}
	name := config.FileName
	if i.output != "" {
		name = i.output
	}
	path := under(dir, name)
	err := writeNew(path, draft.Text, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and stays as it is: --output names another file, or - to print", path)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "wrote %s\n%s", path, nextOf(draft.Models, i.output))
	return err
}

// nextOf says what a person has to do before `up` can run the models; output is the
// file where it is none that `up` finds by itself.
func nextOf(models []emulator.Model, output string) string {
	var steps strings.Builder
	for i := range models {
		d := &models[i].Deployment
		if d.ArtifactURI != "" {
			fmt.Fprintf(&steps, "  %s: download %s to a folder, and name it as model_dir\n", models[i].ID(), prose.Clean(d.StorageURI()))
		}
		for _, s := range d.Secrets {
			fmt.Fprintf(&steps, "  %s: export %s, or add it to .env: it is the secret %s\n", models[i].ID(), s.EnvVarName, s.MLPSecretName)
		}
	}
	up := "merlin-local up"
	if output != "" && output != config.FileName {
		up += " --file " + output
	}
	return "next:\n" + steps.String() + "  " + up + "\n"
}
