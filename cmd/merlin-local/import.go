package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/imports"
	"github.com/caraml-dev/merlin-local/proxy/capture/recording"
)

// importing is the command: a recording of what production left behind.
type importing struct {
	*location
	out, format, model string
}

func newImport(where *location) *cobra.Command {
	i := &importing{location: where}
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a recording of what production leaves behind",
		Long: `Make a recording of requests that are written in another form, to be replayed, compared or
pinned. FILE is recognised by its content; - is standard input. Formats for --format:

  recording       this program's own, as record and up --record write them
  har             HTTP Archive 1.2, of browsers and proxies
  curl            curl and grpcurl command lines; nothing is executed, no file read
  cloudevents     KServe's inference logger: CloudEvents in JSON, or as event_display prints them
  access-log      queue-proxy's request log, which has no bodies
  bodies          JSON, one request's body a line, for the model of --model
  prediction-log  UPI's PredictionLog, as JSON lines or length-delimited protobuf

Credentials are hidden, and with the model repo's configuration what capture: says.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return i.run(c, args[0]) },
	}
	flags := c.Flags()
	flags.StringVarP(&i.out, "output", "o", "", "the recording, a new file; - is standard output (default: FILE's name with .recording.jsonl, here)")
	flags.StringVar(&i.format, "format", "", "what FILE is written in (default: what its content tells)")
	flags.StringVar(&i.model, "model", "", "name in the path of requests that name no model, as iris-1")
	return c
}

func (i *importing) run(c *cobra.Command, path string) error {
	if f := imports.Format(i.format); f != "" && !slices.Contains(imports.Formats(), f) {
		return usageError{fmt.Errorf("--format %q is none: it is one of %s", i.format, formatNames())}
	}
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	in, err := i.open(c, path)
	if err != nil {
		return err
	}
	defer in.Close()
	hide, err := i.hiding(c)
	if err != nil {
		return err
	}
	out, name, err := i.create(c, path)
	if err != nil {
		return err
	}
	told := &imported{}
	err = told.copy(ctx, out, imports.Read(in, imports.Options{
		Format: imports.Format(i.format), Model: i.model, Hide: hide,
		Recognised: func(f imports.Format) { told.format = f }, Note: func(text string) { told.notes = append(told.notes, text) },
	}))
	err = errors.Join(err, out.Close())
	if told.read == 0 && name != "" { // an empty recording is nobody's
		_ = os.Remove(name)
	}
	fmt.Fprint(c.ErrOrStderr(), told.text(path, name))
	if err == nil && told.read == 0 {
		return fmt.Errorf("%s has no requests", path)
	}
	switch {
	case err == nil:
		return nil
	case told.read == 0:
		return fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Errorf("%s: %w; what was before it is in the recording", path, err)
}

func formatNames() string {
	var all []string
	for _, f := range imports.Formats() {
		all = append(all, string(f))
	}
	return strings.Join(all, ", ")
}

func (i *importing) open(c *cobra.Command, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(c.InOrStdin()), nil
	}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usageError{fmt.Errorf("there is no %s", path)}
	}
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(usageError{fmt.Errorf("%s is a folder: give a file", path)}, file.Close())
	}
	return file, nil
}

// create makes the recording; the name is empty where it is standard output.
func (i *importing) create(c *cobra.Command, path string) (io.WriteCloser, string, error) {
	name := i.out
	switch {
	case name == "-" || name == "" && path == "-":
		return unclosed{c.OutOrStdout()}, "", nil
	case name == "":
		base := strings.TrimSuffix(filepath.Base(path), ".gz")
		name = strings.TrimSuffix(base, filepath.Ext(base)) + ".recording.jsonl"
	}
	file, err := newFile(name)
	if err != nil {
		return nil, "", err
	}
	return file, name, nil
}

// hiding hides what the repo's capture hides, where there is a repo that says so; else
// what is always hidden.
func (i *importing) hiding(c *cobra.Command) (func(event.Exchange) event.Exchange, error) {
	dir, path, err := i.repo()
	if err != nil {
		return nil, err
	}
	if path == "" {
		if _, err := os.Stat(filepath.Join(dir, "merlin-local.yaml")); err != nil {
			return nil, nil
		}
	}
	file, err := (&modelFlags{}).load(c, i.location)
	if err != nil {
		return nil, err
	}
	return hidingOf(file)
}

// imported is what was read of a file.
type imported struct {
	format  imports.Format
	read    int
	missing []missing
	notes   []string
}

// missing is something that the file has not, and of how many.
type missing struct {
	answer bool // and not a request
	why    string
	count  int
}

func (t *imported) copy(ctx context.Context, out io.Writer, all iter.Seq2[event.Exchange, error]) error {
	w := recording.NewWriter(out)
	w.By = version()
	for x, err := range all {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			x.ID = uint64(t.read + 1)
			err = w.Write(x)
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
		t.read++
		t.count(missing{why: x.Request.Cut})
		t.count(missing{why: x.Answer.Cut, answer: true})
	}
	return w.Close()
}

// mostReasons bounds what is told of a file with a reason of its own for each request.
const mostReasons = 10

func (t *imported) count(m missing) {
	if m.why == "" {
		return
	}
	same := func(o missing) bool { return o.why == m.why && o.answer == m.answer }
	at := slices.IndexFunc(t.missing, same)
	if at < 0 && len(t.missing) >= mostReasons {
		m.why = "other reasons, which stand at its \"cut\""
		at = slices.IndexFunc(t.missing, same)
	}
	if at < 0 {
		at = len(t.missing)
		t.missing = append(t.missing, m)
	}
	t.missing[at].count++
}

// text says what was read, and what is missing and why, in lines.
func (t *imported) text(path, name string) string {
	if t.read == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "read %s of %s as %s", counted(t.read, "request", "requests"), path, t.format)
	if name != "" {
		fmt.Fprintf(&b, " into %s", name)
	}
	b.WriteByte('\n')
	for _, m := range t.missing {
		what := counted(m.count, "request", "requests")
		if m.answer {
			what = counted(m.count, "answer", "answers")
		}
		fmt.Fprintf(&b, "  %s: %s\n", what, m.why)
	}
	for _, note := range t.notes {
		fmt.Fprintf(&b, "  %s\n", note)
	}
	return b.String()
}
