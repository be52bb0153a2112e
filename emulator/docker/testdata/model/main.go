// Command model is what the tests of emulator/docker run inside containers and
// builds: FROM scratch there is nothing else.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	actions := map[string]func(args []string) error{
		"serve":        serve,
		"stubborn":     stubborn,
		"print":        func([]string) error { return show(os.Stdout) },
		"lines":        lines,
		"exit":         exit,
		"eat":          eat,
		"spin":         spin,
		"parent":       parent,
		"check-secret": checkSecret,
		"check-agent":  checkAgent,
		"count":        count,
		"fail":         fail,
	}
	action := actions["serve"]
	if len(os.Args) > 1 && actions[os.Args[1]] != nil {
		action = actions[os.Args[1]]
	}
	if err := action(os.Args[min(2, len(os.Args)):]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// self is what a process sees of its place.
type self struct {
	Args     []string
	Env      []string
	Hostname string
	PID      int
	Stdin    string            // "closed" where it ends at once
	Files    map[string]string // of /mnt/models
	Write    string            // what a write to /mnt/models gave
}

func look() self {
	host, _ := os.Hostname()
	s := self{Args: os.Args, Env: os.Environ(), Hostname: host, PID: os.Getpid(), Stdin: "open", Files: map[string]string{}}
	if _, err := os.Stdin.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
		s.Stdin = "closed"
	}
	const dir = "/mnt/models"
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		var content []byte
		if info, err := e.Info(); err == nil && info.Size() < 1<<10 {
			content, _ = os.ReadFile(dir + "/" + e.Name())
		}
		s.Files[e.Name()] = string(content)
	}
	s.Write = "allowed"
	if err := os.WriteFile(dir+"/written", nil, 0o644); err != nil {
		s.Write = err.Error()
	}
	return s
}

func show(w io.Writer) error { return json.NewEncoder(w).Encode(look()) }

func serve([]string) error {
	fmt.Println("serving")
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() {
		<-ended
		fmt.Println("asked to end")
		os.Exit(0)
	}()
	return listen()
}

// stubborn serves and does not end when it is asked to.
func stubborn([]string) error {
	signal.Ignore(syscall.SIGTERM)
	fmt.Println("serving")
	return listen()
}

func listen() error {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	return http.ListenAndServe(":"+port, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = show(w)
	}))
}

// lines writes N lines to each stream, then ends.
func lines(args []string) error {
	n, err := strconv.Atoi(args[0])
	for i := range n {
		fmt.Println("out", i)
		fmt.Fprintln(os.Stderr, "err", i)
	}
	return err
}

func exit(args []string) error {
	code, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	fmt.Println("exiting with", code)
	os.Exit(code)
	return nil
}

// eat takes memory until it is ended.
func eat([]string) error {
	var eaten [][]byte
	for {
		piece := make([]byte, 1<<20)
		for i := range piece {
			piece[i] = byte(i)
		}
		eaten = append(eaten, piece)
		if len(eaten) > 1<<10 {
			return errors.New("nobody minds 1 GiB")
		}
		time.Sleep(time.Millisecond)
	}
}

// parent starts a child that takes memory until the kernel kills it, then serves on, or
// exits with the code that is given.
func parent(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Println("the child ended:", exec.Command(self, "eat").Run())
	if len(args) > 0 {
		return exit(args)
	}
	return serve(nil)
}

// spin takes all the CPU that it gets, until it is ended.
func spin([]string) error {
	for n := uint64(1); ; n = n*6364136223846793005 + 1 {
		if n == 0 {
			return nil // after 2^64 turns
		}
	}
}

// checkSecret fails where a file's content is another than asked for.
func checkSecret(args []string) error {
	content, err := os.ReadFile(args[0])
	if err == nil && string(content) != args[1] {
		err = fmt.Errorf("%s holds %d bytes, not those of the test", args[0], len(content))
	}
	return err
}

// checkAgent fails where no ssh agent with one key answers.
func checkAgent([]string) error {
	agent, err := net.Dial("unix", os.Getenv("SSH_AUTH_SOCK"))
	if err != nil {
		return err
	}
	defer agent.Close()
	if _, err := agent.Write([]byte{0, 0, 0, 1, 11}); err != nil { // list the keys
		return err
	}
	answer := make([]byte, 9) // length, type, count
	if _, err := io.ReadFull(agent, answer); err != nil {
		return err
	}
	if answer[4] != 12 || answer[8] != 1 {
		return fmt.Errorf("the agent answers % x", answer)
	}
	return nil
}

// count adds a byte to a file and writes how many it has now to another.
func count(args []string) error {
	file, err := os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.WriteString("."); err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	fmt.Println("count is", info.Size())
	return nil
}

func fail(args []string) error {
	fmt.Println("the first line of what went wrong")
	fmt.Fprintln(os.Stderr, "the last line of what went wrong")
	os.Exit(3)
	return nil
}
