//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes programs of the commands that scripts type: each runs as a process
// of its own, so that signals, locks and `up -d` are the real ones.
func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){
		"merlin-local": main,
		"call":         call,
	})
}

// cleaning removes what the tests built, after the last of them.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	defer os.RemoveAll(built())
	return c.M.Run()
}

// call is a curl that is everywhere: call [-H HOST] [-d BODY] [-w FILE] URL. It prints the
// status and the answer; the file is made once the request is sent.
func call() {
	request, err := http.NewRequest(http.MethodGet, os.Args[len(os.Args)-1], nil)
	if err != nil {
		fatal(err)
	}
	for i, arg := range os.Args[:len(os.Args)-1] {
		switch arg {
		case "-H":
			request.Host = os.Args[i+1]
		case "-w":
			wrote := func(httptrace.WroteRequestInfo) { _ = os.WriteFile(os.Args[i+1], nil, 0o644) }
			request = request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{WroteRequest: wrote}))
		case "-d":
			request.Method = http.MethodPost
			request.Body = io.NopCloser(strings.NewReader(os.Args[i+1]))
		}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		fatal(err)
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		fatal(err)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "call:", err)
	os.Exit(1)
}
