// Package push is an endpoint that takes pushed metrics as a Prometheus Pushgateway does:
// PUT, POST and DELETE of /metrics/job/JOB{/LABEL/VALUE}, GET of /metrics, and the health
// paths. The rules are Pushgateway 1.x's, but for two: what is kept is bounded, and the
// endpoint of a model takes only that model's pushes.
//
// Tell is called with no lock held, from the goroutine of the request, so that two pushes
// of one group may be told in any order; each told fact is whole.
package push

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Options are what an Endpoint works with. All but Sender are needed.
type Options struct {
	Format Format
	// Tell takes event.Scraped, and event.Notice where a person should know something.
	Tell func(event.Fact)
	// Sender names the replica that an address belongs to, and is false for strangers,
	// who are refused. Where it is nil everybody may push, and is no replica.
	Sender func(ctx context.Context, from netip.Addr) (pod string, ok bool)
}

// Format reads and writes Prometheus' forms.
type Format interface {
	// Read reads a body in the form that its header names.
	Read(body []byte, header http.Header) (Page, error)
	// Write writes the text form, whose type is ContentType.
	Write(w io.Writer, families []event.Family) error
	ContentType() string
	// MostBytes is how much of a body is read.
	MostBytes() int64
}

// Page is what a body says.
type Page struct {
	Families   []event.Family
	Series     int
	Cut        string // what was left out, as a sentence
	Timestamps bool   // a series has one
}

// Endpoint keeps what one model pushed. It is safe for concurrent use.
type Endpoint struct {
	options Options
	pages   http.ServeMux

	mu        sync.Mutex
	groups    map[string]*group
	strange   bool // a stranger was told of
	forgotten bool // a group was, for the bound
}

// New returns an endpoint without any metrics.
func New(options Options) *Endpoint {
	e := &Endpoint{options: options, groups: map[string]*group{}}
	e.pages.HandleFunc("GET /metrics", e.show)
	e.pages.HandleFunc("GET /-/healthy", fine)
	e.pages.HandleFunc("GET /-/ready", fine)
	return e
}

func fine(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "OK") }

// ServeHTTP answers one request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pod, ok := e.sender(r)
	if !ok {
		e.refuse(w, r.RemoteAddr)
		return
	}
	// Not by the mux, which cleans paths: a label may be empty, or hold what looks like a
	// folder.
	labels, pushes := strings.CutPrefix(r.URL.EscapedPath(), "/metrics/")
	if !pushes {
		e.pages.ServeHTTP(w, r)
		return
	}
	grouping, err := groupingOf(labels)
	switch {
	case r.Method != http.MethodPut && r.Method != http.MethodPost && r.Method != http.MethodDelete:
		w.Header().Set("Allow", "PUT, POST, DELETE")
		http.Error(w, "metrics are pushed here by PUT or POST, and deleted by DELETE", http.StatusMethodNotAllowed)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case r.Method == http.MethodDelete:
		e.drop(grouping)
		w.WriteHeader(http.StatusAccepted)
	default:
		e.push(w, r, &group{grouping: grouping, pod: pod, at: time.Now().UTC()})
	}
}

// sender is the replica that a request comes from.
func (e *Endpoint) sender(r *http.Request) (pod string, ok bool) {
	if e.options.Sender == nil {
		return "", true
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "", false
	}
	return e.options.Sender(r.Context(), from.Addr().Unmap())
}

func (e *Endpoint) refuse(w http.ResponseWriter, from string) {
	http.Error(w, "only this model's containers may push here", http.StatusForbidden)
	e.mu.Lock()
	first := !e.strange
	e.strange = true
	e.mu.Unlock()
	if first {
		e.warn("%s wanted to push metrics and was refused: it is none of the model's containers; others are refused without a word", from)
	}
}

func (e *Endpoint) warn(text string, args ...any) {
	e.options.Tell(event.Notice{Level: event.NoticeWarning, Text: fmt.Sprintf(text, args...)})
}

// push is a PUT, which replaces a group, or a POST, which replaces metrics of the same
// names in it.
func (e *Endpoint) push(w http.ResponseWriter, r *http.Request, g *group) {
	body, err := e.read(r)
	var page Page
	if err == nil {
		page, err = e.options.Format.Read(body, r.Header)
	}
	if err == nil {
		err = g.take(page)
	}
	if err == nil {
		err = e.keep(g, r.Method == http.MethodPost)
	}
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		http.Error(w, fmt.Sprintf("more than %d bytes are not taken here", long.Limit), http.StatusRequestEntityTooLarge)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// read reads a body, which may be compressed.
func (e *Endpoint) read(r *http.Request) ([]byte, error) {
	most := e.options.Format.MostBytes()
	plain := io.ReadCloser(http.MaxBytesReader(nil, r.Body, most))
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(plain)
		if err != nil {
			return nil, err
		}
		plain = http.MaxBytesReader(nil, unzipped, most)
	default:
		return nil, fmt.Errorf("a body of encoding %s is not read: it is gzip or none", encoding)
	}
	return io.ReadAll(plain)
}

// show gives all that was pushed, as a scrape of the Pushgateway would.
func (e *Endpoint) show(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", e.options.Format.ContentType())
	_ = e.options.Format.Write(w, e.all()) // whoever asked has gone
}
