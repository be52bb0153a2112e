package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/config"
)

// initRepo starts a model repo, or writes the configuration of one that is deployed.
// It writes new files alone.
type initRepo struct {
	*location
	template string
	from     string
	output   string
}

func newInit(where *location) *cobra.Command {
	i := &initRepo{location: where}
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Start a new model repo, or make merlin-local.yaml of a deployed InferenceService",
		Long: `Start a new model repo in DIR, with all that ` + "`merlin-local up`" + ` needs:

  merlin-local init my-model --template upi-go

Or make ` + config.FileName + ` of what is deployed, in DIR or here:

  kubectl get inferenceservice iris-1 -o yaml | merlin-local init --from -

What of the InferenceService the file cannot carry is told on standard error, field by
field. VirtualServices in the same input tell the domain. A file that is there is never
changed.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return i.run(c, args) },
	}
	c.Flags().StringVar(&i.template, "template", "", "what the new repo starts from: "+strings.Join(templateNames(), ", ")+" (default "+templates()[0].name+")")
	c.Flags().StringVar(&i.from, "from", "", "InferenceService as kubectl prints it, YAML or JSON; - is standard input")
	c.Flags().StringVarP(&i.output, "output", "o", "", "with --from: the file to write; - is standard output (default "+config.FileName+")")
	return c
}

func (i *initRepo) run(c *cobra.Command, args []string) error {
	base, _, err := i.repo()
	switch {
	case err != nil:
		return err
	case i.file != "":
		return usageError{errors.New("--file is of no use here: --output names what --from writes")}
	case i.from != "" && i.template != "":
		return usageError{errors.New("--from and --template: give one of them")}
	case i.from == "" && i.output != "":
		return usageError{errors.New("--output is for --from: a new repo's files have their names")}
	case i.from == "" && len(args) == 0:
		return usageError{errors.New("name the folder of the new model repo, as in `merlin-local init my-model`; --from FILE makes a " + config.FileName + " instead")}
	}
	dir := base
	if len(args) > 0 {
		dir = under(base, args[0])
	}
	if i.from != "" {
		return i.fromManifests(c, base, dir)
	}
	return i.fromTemplate(c, dir, args[0])
}

// under is a path as it is written on the command line.
func under(base, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(base, path)
}

// writeNew writes a file that is not there yet.
func writeNew(path string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
