package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/caraml-dev/merlin-local/emulator"
	checks "github.com/caraml-dev/merlin-local/emulator/check"
	"github.com/caraml-dev/merlin-local/emulator/config"
)

// listRules writes all rules.
func listRules(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RULE\tGROUP\tSEVERITY\tPROTOCOL\tIT HOLDS WHERE")
	for _, r := range checks.Rules() {
		protocol := string(r.Protocol)
		if protocol == "" {
			protocol = "both"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.Group, r.Severity, protocol, r.About)
	}
	return table.Flush()
}

// tell writes the reports and makes an error of what does not hold.
func (k *checking) tell(w io.Writer, dir string, reports []checks.Report) (err error) {
	if k.report != "" {
		if err := k.writeReport(dir, reports); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		err = checks.WriteText(w, reports)
	} else {
		err = k.write(w, reports)
	}
	if err != nil {
		return err
	}
	for _, r := range reports {
		if r.Fails(checks.Severity(k.severity)) {
			return toldError{fmt.Errorf("%s is not as it should be", r.Subject)}
		}
	}
	return nil
}

func (k *checking) writeReport(dir string, reports []checks.Report) error {
	file, err := os.Create(inRepo(k.report, dir))
	if err != nil {
		return err
	}
	return errors.Join(k.write(file, reports), file.Close())
}

func (k *checking) write(w io.Writer, reports []checks.Report) error {
	switch k.output {
	case formJSON:
		return checks.WriteJSON(w, reports)
	case formJUnit:
		return checks.WriteJUnit(w, reports, checks.Severity(k.severity))
	case formSARIF:
		return checks.WriteSARIF(w, reports, version())
	}
	return checks.WriteText(w, reports)
}

// place is the file of the repo that makes the image.
func place(file *config.File, m *emulator.Model) string {
	if m.Build != nil {
		if rel, err := filepath.Rel(file.Dir, m.Build.Dockerfile); err == nil && !strings.HasPrefix(rel, "..") {
			return filepath.ToSlash(rel)
		}
	}
	return config.FileName
}
