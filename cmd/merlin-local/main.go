// Command merlin-local runs Merlin custom models on this machine as production
// would. This package wires everything together: each command is a file of its own,
// and nothing else imports it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/config"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes of every command.
const (
	exitFailed = 1 // it did not work
	exitUsage  = 2 // a flag, an argument or merlin-local.yaml is wrong
)

// run executes one command line and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(context.Background())
	var told toldError
	if err != nil && !errors.As(err, &told) {
		fmt.Fprintf(stderr, "%s\n", tell(err))
	}
	return exitCode(err)
}

func tell(err error) string {
	var mistakes config.Errors
	if errors.As(err, &mistakes) {
		return mistakes.Error() // each line has its place: nothing may stand before it
	}
	return "merlin-local: " + err.Error()
}

func exitCode(err error) int {
	var mistakes config.Errors
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &mistakes), errors.As(err, &usage):
		return exitUsage
	default:
		return exitFailed
	}
}

// toldError is an error that the command has shown already.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "merlin-local",
		Short: "Run Merlin custom models on this machine as production would",
		Long: `merlin-local runs a Merlin custom model on this machine as production would: with
its environment, artifact mount, limits and probes, behind one port.

In a model repo:  merlin-local up
A new repo:       merlin-local init my-model
Without a repo:   merlin-local up --image IMAGE [--protocol UPI_V1] [--model-dir DIR]`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          wrongCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },

		SuggestionsMinimumDistance: 2,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nSee `%s --help`", err, c.CommandPath())}
	})
	where := &location{}
	where.flags(root)
	root.AddCommand(
		newUp(where), newDown(where), newStatus(where), newLogs(where), newAttach(where), newReplay(where), newReplaySession(), newRecord(where), newImport(where), newRetry(where), newReload(where), newFault(where),
		newEnv(where), newBundle(where), newPredict(where), newPin(where), newCheck(where), newCompare(where), newManifest(where), newInit(where), newSchema(), newVersion(), newGuard(),
	)
	usageOfArgs(root.Commands())
	return root
}

// usageOfArgs makes wrong arguments of these commands, and of those below them, usageErrors.
func usageOfArgs(commands []*cobra.Command) {
	for _, c := range commands {
		c.Args = wrongArgs(c.Args)
		usageOfArgs(c.Commands())
	}
}

// wrongCommand tells a word that is no command, and what may have been meant.
func wrongCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("%q is no command", args[0])
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		text += " (did you mean " + strings.Join(near, " or ") + "?)"
	}
	return usageError{fmt.Errorf("%s\nSee `%s --help`", text, c.CommandPath())}
}

// wrongArgs makes a command line of wrong arguments a usageError.
func wrongArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{fmt.Errorf("%w\nSee `%s --help`", err, c.CommandPath())}
		}
		return nil
	}
}
