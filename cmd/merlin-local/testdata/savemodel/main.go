// Command savemodel is a custom model that says in every answer which save of its repo
// it was made of, for the tests of reloads: FROM scratch, on one port for both protocols.
// It ends as a model should: at SIGTERM it ends its streams and answers what runs.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := run(ended); err != nil {
		fmt.Fprintln(os.Stderr, "savemodel:", err)
		os.Exit(1)
	}
}

func run(ended context.Context) error {
	code, err := ownSave()
	if err != nil {
		return err
	}
	save, err := newest(code, os.Getenv("SAVE"), "/app/source.txt", filepath.Join(os.Getenv("CARAML_ARTIFACT_LOCATION"), "save.txt"))
	if err != nil {
		return err
	}
	if save < 0 {
		fmt.Println("never ready")
		<-ended.Done()
		return nil
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Addr: ":" + os.Getenv("PORT"), Handler: newModel(save, ended), Protocols: protocols}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ended.Done():
	}
	return server.Shutdown(context.Background()) // SIGKILL ends it where that takes too long
}

// ownSave is the save that this binary was made of: its own last line, since what a link
// takes is no part of what is tested.
func ownSave() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return string(binary[bytes.LastIndexByte(binary, '\n')+1:]), nil
}

// newest is the greatest save of those that the binary, the environment and the files
// were made of; -1 where one of the files says that it is broken.
func newest(code, environment string, files ...string) (save int, err error) {
	texts := []string{code, environment}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		texts = append(texts, strings.TrimSpace(string(text)))
	}
	for _, text := range texts {
		if text == "broken" {
			return -1, nil
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, errors.New("no save: " + text)
		}
		save = max(save, n)
	}
	return save, nil
}

// work takes as long as was asked for, in milliseconds.
func work(ctx context.Context, milliseconds string) {
	n, _ := strconv.Atoi(milliseconds)
	select {
	case <-time.After(time.Duration(n) * time.Millisecond):
	case <-ctx.Done():
	}
}
