package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// record is the command: a recording of a session that runs elsewhere.
type record struct {
	*location
	kept, coming bool
	model        string
	duration     time.Duration
	count        int
}

func newRecord(where *location) *cobra.Command {
	r := &record{location: where}
	c := &cobra.Command{
		Use:   "record [FILE]",
		Short: "Save the running session's requests and answers to a file",
		Long: `Save what the running session has captured, and what comes, until Ctrl-C, the session's
end, --for or --count. FILE must be new; - is standard output. Without FILE it is a new one in
` + filepath.Join(recordingsFolder...) + ` of the model repo. The lines are those of up --record.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return r.run(c, append(args, "")[0]) },
	}
	flags := c.Flags()
	flags.BoolVar(&r.kept, "kept", false, "save what is kept now, and return")
	flags.BoolVar(&r.coming, "new", false, "save only what comes from now on")
	flags.StringVar(&r.model, "model", "", "save only this model's")
	flags.DurationVar(&r.duration, "for", 0, "how long to record, as 10m (default: until Ctrl-C)")
	flags.IntVar(&r.count, "count", 0, "how many requests to save (default: no limit)")
	return c
}

// recordingsFolder is where recordings without a name are, in the repo. No edit there
// makes a new revision.
var recordingsFolder = []string{".merlin-local", "recordings"}

func (r *record) run(c *cobra.Command, name string) error {
	switch {
	case r.count < 0 || r.duration < 0:
		return usageError{errors.New("--count and --for are above 0")}
	case r.kept && r.coming:
		return usageError{errors.New("--kept is what is there, and --new what comes: leave both out for all of it")}
	}
	s, err := r.session()
	if err != nil {
		return err
	}
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	keeper, err := r.prepare(ctx, s)
	if err != nil {
		return notRunning(err)
	}
	path, err := r.path(name)
	if err != nil {
		return err
	}
	out, err := r.open(ctx, c, s, path)
	if err != nil {
		return err
	}
	err = r.save(ctx, s, keeper, out)
	fmt.Fprint(c.ErrOrStderr(), keeper.told(path))
	return errors.Join(err, out.Close())
}

// prepare asks what is kept; it is an error where nothing is captured.
func (r *record) prepare(ctx context.Context, s control.Session) (*keeper, error) {
	state, err := s.State(ctx)
	if err != nil {
		return nil, err
	}
	keeper := &keeper{most: r.count}
	if r.model != "" {
		m := state.Model(r.model)
		if m == nil {
			return nil, unknownModel(r.model, state)
		}
		keeper.model = m.ID
	}
	ids, err := s.Kept(ctx)
	if err != nil {
		return nil, err
	}
	if state.Capture != nil {
		keeper.evicted = state.Capture.Evicted
	}
	first, last, err := servedIn(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(ids) > 0 {
		last = max(last, ids[0])
	}
	if r.coming {
		keeper.after, keeper.evicted = last, 0
		return keeper, nil
	}
	keeper.await(ids, first)
	return keeper, nil
}

// servedIn returns the first and last request of which the session's own history still
// tells; 0 where there is none.
func servedIn(ctx context.Context, s control.Session) (first, last uint64, err error) {
	for e, err := range s.Events(ctx, control.Query{Skip: []string{"log", "step", "probed", "scraped"}}) {
		if err != nil {
			return 0, 0, err
		}
		if served, is := e.Fact.(event.Served); is {
			if first == 0 {
				first = served.ID
			}
			last = served.ID
		}
	}
	return first, last, nil
}

// path is the recording's; empty where it is standard output.
func (r *record) path(name string) (string, error) {
	switch name {
	case "-":
		return "", nil
	case "":
		dir, _, err := r.repo()
		if err != nil {
			return "", err
		}
		folder := filepath.Join(append([]string{dir}, recordingsFolder...)...)
		return filepath.Join(folder, time.Now().UTC().Format("20060102-150405")+".jsonl"), ownFolder(folder)
	}
	return filepath.Abs(name)
}

// open makes the file, of which the session knows before it is there.
func (r *record) open(ctx context.Context, c *cobra.Command, s control.Session, path string) (io.WriteCloser, error) {
	if path == "" {
		return unclosed{c.OutOrStdout()}, nil
	}
	if _, err := os.Lstat(path); err == nil {
		return newFile(path) // which says that it is there
	}
	if err := s.Writes(ctx, path); err != nil {
		return nil, notRunning(err)
	}
	return newFile(path)
}

// ownFolder makes a folder whose files git does not see: bodies are in them.
func ownFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := newFile(filepath.Join(folder, ".gitignore"))
	if usage := (usageError{}); errors.As(err, &usage) {
		return nil // it is there
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, "*\n")
	return errors.Join(err, file.Close())
}

// unclosed is a writer that others close.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// save writes until there is no more, or enough. That somebody ends it is no error.
func (r *record) save(ctx context.Context, s control.Session, keeper *keeper, out io.Writer) error {
	if r.duration > 0 {
		limited, cancel := context.WithTimeout(ctx, r.duration)
		defer cancel()
		ctx = limited
	}
	keeper.to(out, func(id uint64) (event.Exchange, error) { return s.Exchange(ctx, id) })
	for e, err := range s.Events(ctx, control.Query{Follow: !r.kept}) {
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		if enough, err := keeper.take(e); err != nil || enough {
			return err
		}
	}
	if ctx.Err() == nil {
		return keeper.finish()
	}
	return keeper.lines.Close()
}
