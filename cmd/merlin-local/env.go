package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// env prints what the container gets.
type env struct {
	*location
	modelFlags
	format  string
	secrets bool
	explain bool
}

func newEnv(where *location) *cobra.Command {
	e := &env{location: where}
	c := &cobra.Command{
		Use:   "env [MODEL]",
		Short: "Print the container's environment as production sets it, in order",
		Args:  cobra.MaximumNArgs(1),
		RunE:  func(c *cobra.Command, args []string) error { return e.run(c, args) },
	}
	e.modelFlags.flags(c)
	c.Flags().StringVar(&e.format, "format", "table", "table, dotenv or json")
	c.Flags().BoolVar(&e.explain, "explain", false, "say point by point how a run with Docker compares with production, instead")
	c.Flags().BoolVar(&e.secrets, "show-secrets", false, "print the secrets' values")
	return c
}

func (e *env) run(c *cobra.Command, args []string) error {
	print, ok := map[string]func(io.Writer, []merlin.Variable) error{
		"table": envTable, "dotenv": envDotenv, "json": envJSON,
	}[e.format]
	if !ok {
		return usageError{fmt.Errorf("--format %s: it is table, dotenv or json", e.format)}
	}
	file, err := e.load(c, e.location)
	if err != nil {
		return err
	}
	if e.secrets {
		if err := file.ResolveSecrets(os.LookupEnv); err != nil {
			return err
		}
	}
	model, err := pick(models(file), args)
	if err != nil {
		return err
	}
	if e.explain {
		here := emulator.Circumstances{Containers: true, CPUs: float64(runtime.NumCPU())}
		return explain(c.OutOrStdout(), model.Parity(here))
	}
	return print(c.OutOrStdout(), e.variables(model))
}

// masked stands for a secret's value, also where another variable refers to it.
const masked = "***"

func (e *env) variables(m *emulator.Model) []merlin.Variable {
	values := m.SecretValues
	if !e.secrets {
		values = map[string]string{}
		for _, s := range m.Deployment.Secrets {
			values[s.EnvVarName] = masked
		}
	}
	return merlin.Resolve(m.Deployment.Variables(m.Place(merlin.Production())), values)
}

func envTable(w io.Writer, env []merlin.Variable) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tVALUE\tSOURCE")
	for _, v := range env {
		fmt.Fprintf(table, "%s\t%s\t%s\n", v.Name, strings.ReplaceAll(prose.Clean(v.Value), "\t", `\x09`), v.Source)
	}
	return table.Flush()
}

func envDotenv(w io.Writer, env []merlin.Variable) error {
	for _, v := range env {
		if _, err := fmt.Fprintf(w, "%s=%s\n", v.Name, dotenvValue(v.Value)); err != nil {
			return err
		}
	}
	return nil
}

// dotenvValue quotes what dotenv readers would otherwise change: with ' where it can,
// as they all take that literally, and do not agree on what \ does inside ".
func dotenvValue(value string) string {
	switch {
	case !strings.ContainsAny(value, "\n\r\t \"'`#$\\"):
		return value
	case !strings.ContainsAny(value, "\n\r'\\"):
		return "'" + value + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "$", `\$`).Replace(value) + `"`
}

func envJSON(w io.Writer, env []merlin.Variable) error {
	type variable struct {
		Name   string `json:"name"`
		Value  string `json:"value"`
		Source string `json:"source"`
	}
	out := []variable{}
	for _, v := range env {
		out = append(out, variable{v.Name, v.Value, string(v.Source)})
	}
	return writeIndented(w, out)
}
