// Command recordings records the sessions that the golden screens are of: it runs the real
// program on the sample models, sends them requests, breaks and mends their files, and
// keeps what `up --record` wrote, without what tells of this machine, and thinned out. It
// needs a Docker Engine, the base image that sample-models/churn-python/base-image.sh
// makes, and merlin-local at the path that it is given:
//
//	make recordings
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	program := flag.String("program", "bin/merlin-local", "the merlin-local to record")
	out := flag.String("o", "tui/testdata", "the folder for the recordings")
	only := flag.String("only", "", "record this one alone")
	flag.Parse()
	absolute, err := filepath.Abs(*program)
	for _, s := range scenes() {
		if err == nil && (*only == "" || *only == s.name) {
			err = record(s, absolute, filepath.Join(*out, s.name+".jsonl"))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "recordings:", err)
		os.Exit(1)
	}
}

// patience is how long a session may take to what is waited for.
const patience = 2 * time.Minute

// run is a session that is being recorded.
type run struct {
	program, repo, home, file string
}

// record runs a scene and writes its recording.
func record(s scene, program, out string) (err error) {
	work, err := os.MkdirTemp("", "rec")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	r := &run{program: program, repo: filepath.Join(work, s.name), home: filepath.Join(work, "h"), file: filepath.Join(work, "session.jsonl")}
	if err := s.lay(r.repo); err != nil {
		return err
	}
	if s.edit != nil {
		if err := s.edit(r); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	args := append([]string{"up", "--output", "json", "--port", "0", "--metrics-port", "0", "--record", r.file}, s.args...)
	up := r.command(ctx, args...)
	up.Cancel = func() error { return up.Process.Signal(os.Interrupt) } // it ends in order
	if err := up.Start(); err != nil {
		return err
	}
	played := s.play(r)
	time.Sleep(2 * time.Second) // what was caused happens, and is told
	stop()
	if err := up.Wait(); played == nil && err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if played != nil {
		return fmt.Errorf("%s: %w", s.name, played)
	}
	kept, err := r.kept()
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	fmt.Printf("%s: %d bytes\n", out, len(kept))
	return os.WriteFile(out, kept, 0o644)
}

func (r *run) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, r.program, args...)
	c.Dir, c.Env, c.Stderr = r.repo, append(os.Environ(), "MERLIN_LOCAL_HOME="+r.home), os.Stderr
	return c
}

// await waits until so many lines have all of the texts, and returns the last.
func (r *run) await(times int, texts ...string) (string, error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // a file cannot be waited for
		text, err := os.ReadFile(r.file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		seen := 0
		for line := range strings.Lines(string(text)) {
			if strings.HasSuffix(line, "\n") && holds(line, texts) {
				if seen++; seen == times {
					return line, nil
				}
			}
		}
	}
	return "", fmt.Errorf("the session never wrote %q %d times", texts, times)
}

func holds(line string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(line, text) {
			return false
		}
	}
	return true
}

// edit replaces a text in a file of the repo.
func (r *run) edit(name, before, after string) error {
	path := filepath.Join(r.repo, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), before) {
		return fmt.Errorf("%s has no %q", name, before)
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(text), before, after)), 0o644)
}
