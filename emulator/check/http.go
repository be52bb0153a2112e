package check

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/tidwall/gjson"

	"github.com/caraml-dev/merlin-local/emulator/scrape"
)

// overHTTP asks an HTTP_JSON model.
type overHTTP struct {
	at        netip.AddrPort
	model     string        // its path
	timeout   time.Duration // of a prediction
	transport *http.Transport
}

func newHTTP(fullName string, at netip.AddrPort, timeout time.Duration) *overHTTP {
	return &overHTTP{
		at: at, model: "/v1/models/" + fullName, timeout: timeout,
		transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: clients},
	}
}

func (h *overHTTP) close() { h.transport.CloseIdleConnections() }

// mostBody is how much of an answer's body is read, mostAnswer of it all: a header has no
// bound of its own.
const (
	mostBody   = 8 << 20
	mostAnswer = mostBody + 1<<20
)

// ask sends one request. Only those with a body ask the model itself.
func (h *overHTTP) ask(ctx context.Context, method, path string, body []byte) Answer {
	limit := call
	if body != nil {
		limit = h.timeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begun := time.Now()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+h.at.String()+path, bytes.NewReader(body))
	if err != nil {
		return noAnswer(begun, limit, ctx, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := h.transport.RoundTrip(request)
	if err != nil {
		return noAnswer(begun, limit, ctx, plain(err))
	}
	return answerOf(ctx, begun, limit, response)
}

// answerOf reads an answer to its end, which is where its time ends.
func answerOf(ctx context.Context, begun time.Time, limit time.Duration, response *http.Response) Answer {
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, mostBody))
	if err != nil {
		return noAnswer(begun, limit, ctx, fmt.Errorf("%s, and then its answer was broken off: %w", response.Status, plain(err)))
	}
	return Answer{Reply: replyOf(response.StatusCode), Status: response.Status, Body: body, JSON: gjson.ValidBytes(body), Took: time.Since(begun)}
}

func replyOf(status int) Reply {
	switch {
	case status == http.StatusOK:
		return Accepted
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusNotImplemented:
		return Absent
	case status >= 400 && status < 500:
		return Refused
	case status >= 500:
		return Fault
	}
	return Other
}

// plain says what went wrong without the addresses, which are ours and change.
func plain(err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errors.New("connection reset without an answer")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("connection closed without an answer")
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Err
	}
	return err
}

func (h *overHTTP) predict(ctx context.Context, request []byte) Answer {
	return h.ask(ctx, http.MethodPost, h.model+":predict", request)
}

func (h *overHTTP) alive(ctx context.Context) Answer { return h.ask(ctx, http.MethodGet, "/", nil) }

// scrapeLimit bounds a scrape, as production's Prometheus does.
const scrapeLimit = 10 * time.Second

func (h *overHTTP) contract(ctx context.Context, s *Subject, predicted *Answer) *Contract {
	c := &Contract{
		Health: h.ask(ctx, http.MethodGet, h.model, nil),
		Alive:  h.alive(ctx), WrongName: s.Deployment.FullName() + "-of-nobody",
		Metrics: scrape.Scraper{Timeout: scrapeLimit}.Scrape(ctx, h.at),
	}
	if predicted == nil {
		answer := h.predict(ctx, s.question())
		predicted = &answer
	}
	c.Predict = *predicted
	wrong := "/v1/models/" + c.WrongName
	c.WrongHealth = h.ask(ctx, http.MethodGet, wrong, nil)
	c.WrongAnswer = h.ask(ctx, http.MethodPost, wrong+":predict", s.question())
	return c
}

// nonsense writes and reads at once, since a model may refuse a body that it has not read.
func (h *overHTTP) nonsense(ctx context.Context, n nonsense) Answer {
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	begun := time.Now()
	conn, err := h.dial(ctx)
	if err != nil {
		return noAnswer(begun, call, ctx, plain(err))
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	written := make(chan error, 1)
	go func() {
		_, err := fmt.Fprintf(conn, "POST %s:predict HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", h.model, h.at, n.size())
		if err == nil {
			_, err = io.Copy(conn, n.reader())
		}
		written <- err
	}()
	response, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, mostAnswer)), &http.Request{Method: http.MethodPost})
	var a Answer
	if err == nil {
		a = answerOf(ctx, begun, call, response)
	} else {
		a = noAnswer(begun, call, ctx, plain(err))
	}
	_ = conn.Close()
	<-written
	return a
}

func (h *overHTTP) dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", h.at.String())
}

// beginLimit is how long a model may take to say that it wants a body; those that never say it
// have begun by then.
const beginLimit = time.Second

// begin holds the second half of the body back. A server that knows Expect says when it
// reads the body, and so that the request runs.
func (h *overHTTP) begin(ctx context.Context, request []byte) (func(context.Context) Answer, error) {
	conn, err := h.dial(ctx)
	if err != nil {
		return nil, plain(err)
	}
	head := fmt.Sprintf("POST %s:predict HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", h.model, h.at, len(request))
	half := len(request) / 2
	reader := bufio.NewReader(io.LimitReader(conn, mostAnswer))
	if err = h.heard(conn, reader, head, string(request[:half])); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return func(ctx context.Context) Answer {
		defer conn.Close()
		ctx, cancel := context.WithTimeout(ctx, h.timeout)
		defer cancel()
		stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		defer stop()
		begun := time.Now()
		if _, err := conn.Write(request[half:]); err != nil {
			return noAnswer(begun, h.timeout, ctx, plain(err))
		}
		for {
			response, err := http.ReadResponse(reader, &http.Request{Method: http.MethodPost})
			switch {
			case err != nil:
				return noAnswer(begun, h.timeout, ctx, plain(err))
			case response.StatusCode == http.StatusContinue:
				continue
			}
			return answerOf(ctx, begun, h.timeout, response)
		}
	}, nil
}

// heard sends a head and, once the model wants it or says nothing, the first part of the
// body.
func (h *overHTTP) heard(conn net.Conn, reader *bufio.Reader, head, part string) error {
	if _, err := io.WriteString(conn, head); err != nil {
		return plain(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(beginLimit))
	line, err := reader.Peek(len("HTTP/1.1 100"))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded): // it does not know Expect
	case err != nil:
		return plain(err)
	case !strings.HasSuffix(string(line), " 100"):
		return fmt.Errorf("it answered before it had the body: %s", line)
	}
	_ = conn.SetReadDeadline(time.Time{})
	_, err = io.WriteString(conn, part)
	return err
}
