// Command pictures takes the README's pictures of the screen: it runs the real program
// on the sample models in a real terminal, presses keys, reads the screen back, and
// draws what it read as SVG. It needs tmux, a Docker Engine, and merlin-local at the
// path that it is given:
//
//	make pictures
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// scene is one picture.
type scene struct {
	name, sample  string
	width, height int
	args          string
	// shows are texts that are waited for before the next keys: keys[i] are pressed once
	// shows[i] is seen, and the picture is taken at the last of shows.
	shows []string
	keys  [][]string
	// load sends requests meanwhile; edit changes a file of the repo's copy.
	load bool
	edit func(repo string) error
}

func scenes() []scene {
	return []scene{
		{
			name: "serving", sample: "iris-http-go", width: 132, height: 38, load: true,
			shows: []string{"iris-1 READY", "req/s"},
			keys:  [][]string{{"2"}},
		},
		{
			name: "request", sample: "iris-http-go", width: 132, height: 38, load: true,
			shows: []string{"iris-1 READY", "req/s", "HTTP/1.1"},
			keys:  [][]string{{"2"}, {"Up", "Enter"}},
		},
		{
			name: "reload", sample: "iris-http-go", width: 132, height: 38, load: true,
			shows: []string{"iris-1 READY", "RELOAD FAILED"},
			keys:  [][]string{{"6"}},
			edit: func(repo string) error {
				return os.WriteFile(filepath.Join(repo, "broken.go"), []byte("package main\n\nfunc broken() { retrun }\n"), 0o644)
			},
		},
	}
}

const patience = time.Minute

func main() {
	program := flag.String("program", "bin/merlin-local", "the merlin-local to take pictures of")
	out := flag.String("o", "tui/pictures", "the folder for the pictures")
	only := flag.String("only", "", "take this one alone")
	flag.Parse()
	absolute, err := filepath.Abs(*program)
	for _, s := range scenes() {
		if err == nil && (*only == "" || *only == s.name) {
			err = take(s, absolute, filepath.Join(*out, s.name+".svg"))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// take runs a scene and writes its picture.
func take(s scene, program, out string) (err error) {
	work, err := os.MkdirTemp("", "pictures")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	repo := filepath.Join(work, s.sample)
	if err := os.CopyFS(repo, os.DirFS(filepath.Join("sample-models", s.sample))); err != nil {
		return err
	}
	term := terminal{socket: filepath.Join(work, "tmux")}
	if err := term.open(s, repo, filepath.Join(work, "home")); err != nil {
		return err
	}
	defer func() {
		_ = term.run("send-keys", "C-c")
		_, _ = term.await("requests") // the summary
		_ = term.run("kill-server")
	}()
	if err := term.run("send-keys", "-l", strings.TrimSpace("'"+program+"' up --port 0 "+s.args)+"\r"); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	for i, text := range s.shows {
		screen, err := term.await(text)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if i == 0 && s.load {
			go load(ctx, address(screen), repo)
		}
		if i == 0 && s.edit != nil {
			if err := s.edit(repo); err != nil {
				return err
			}
		}
		if i < len(s.keys) {
			for _, key := range s.keys[i] {
				time.Sleep(300 * time.Millisecond) // as a person would
				if err := term.run("send-keys", key); err != nil {
					return err
				}
			}
		}
	}
	time.Sleep(20 * time.Second) // charts have something to show then
	captured, err := term.capture("-e", "-N")
	if err != nil {
		return err
	}
	return os.WriteFile(out, []byte(svg(strings.Split(strings.TrimRight(strings.ReplaceAll(captured, work, "~"), "\n"), "\n"), s.width)), 0o644)
}

// address is the URL that the screen shows.
func address(screen string) string {
	at := strings.Index(screen, "http://")
	if at < 0 {
		return ""
	}
	return strings.Fields(screen[at:])[0]
}

// load sends what a busy client would, and now and then something that is refused.
func load(ctx context.Context, url, repo string) {
	body, err := os.ReadFile(filepath.Join(repo, "request.json"))
	if err != nil || url == "" {
		return
	}
	for n := 0; ctx.Err() == nil; n++ {
		sent := body
		if n%23 == 22 {
			sent = []byte(`{"instances": "none"}`)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(sent))
		if err != nil {
			return
		}
		request.Header.Set("Content-Type", "application/json")
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		time.Sleep(time.Duration(20+n%7*9) * time.Millisecond)
	}
}

// terminal is tmux with one shell.
type terminal struct{ socket string }

func (m terminal) open(s scene, repo, home string) error {
	return m.run("-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(s.width), "-y", strconv.Itoa(s.height), "-c", repo,
		"-e", "LC_ALL=C.UTF-8", "-e", "MERLIN_LOCAL_HOME="+home, "sh")
}

func (m terminal) run(args ...string) error {
	out, err := exec.Command("tmux", append([]string{"-S", m.socket}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("tmux %s: %w: %s", args[0], err, out)
	}
	return nil
}

func (m terminal) capture(options ...string) (string, error) {
	out, err := exec.Command("tmux", append([]string{"-S", m.socket, "capture-pane", "-p"}, options...)...).Output()
	return string(out), err
}

func (m terminal) await(text string) (string, error) {
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		screen, err := m.capture()
		if err != nil || strings.Contains(screen, text) {
			return screen, err
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("the screen never showed %q; it shows:\n%s", text, screen)
		}
	}
}
