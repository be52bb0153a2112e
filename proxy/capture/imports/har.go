package imports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// harEntry is a request and its answer in an HTTP Archive, as far as it is read.
type harEntry struct {
	Started time.Time   `json:"startedDateTime"`
	Time    float64     `json:"time"` // milliseconds
	Server  string      `json:"serverIPAddress"`
	Request *harMessage `json:"request"`
	Answer  *harMessage `json:"response"`
}

// harMessage is either side.
type harMessage struct {
	Method   string     `json:"method"`
	URL      string     `json:"url"`
	Proto    string     `json:"httpVersion"`
	Status   int        `json:"status"`
	Headers  []harField `json:"headers"`
	BodySize float64    `json:"bodySize"` // as it passed; -1 where it is not known
	PostData *harBody   `json:"postData"`
	Content  *harBody   `json:"content"`
	Comment  string     `json:"_error"` // of browsers, where there was no answer
}

type harField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// har reads the entries of log.entries one after the other.
func (s *source) har() error {
	from := &gauge{r: s.in, most: s.Longest}
	decoder := json.NewDecoder(from)
	if err := into(decoder, "log", "entries"); err != nil {
		return &PlaceError{"byte " + fmt.Sprint(decoder.InputOffset()), err}
	}
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return &PlaceError{"log.entries", errors.Join(err, errors.New("it is no list"))}
	}
	number := 0
	place := func(err error) error { return &PlaceError{fmt.Sprintf("entry %d", number), cutOff(err)} }
	for number = 1; decoder.More(); number++ {
		from.reset()
		var e harEntry
		if err := decoder.Decode(&e); err != nil {
			return place(err)
		}
		x, err := e.exchange()
		if err != nil {
			return place(err)
		}
		if err := s.give(x); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return place(err)
	}
	return nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends in the middle of it")
	}
	return err
}

// into goes to the value of such names, one within the other, and past all before it.
func into(decoder *json.Decoder, names ...string) error {
	for _, want := range names {
		if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
			return errors.Join(cutOff(err), fmt.Errorf("no object is there, in which %q would be", want))
		}
		for {
			name, err := decoder.Token()
			if err != nil {
				return cutOff(err)
			}
			if name == want {
				break
			}
			if name == json.Delim('}') {
				return fmt.Errorf("there is no %q, which a HAR file has", want)
			}
			var value json.RawMessage
			if err := decoder.Decode(&value); err != nil {
				return cutOff(err)
			}
		}
	}
	return nil
}

func (e *harEntry) exchange() (x event.Exchange, err error) {
	if e.Request == nil || e.Request.Method == "" || e.Request.URL == "" {
		return x, errors.New("it has no request with a method and a url")
	}
	x.Method, x.Arrived, x.Proto = e.Request.Method, e.Started.UTC(), e.Request.version()
	x.Host, x.Path, x.Query = parts(e.Request.URL)
	if e.Time > 0 && e.Time < math.MaxInt64/float64(time.Millisecond) {
		x.Took = time.Duration(e.Time * float64(time.Millisecond))
	}
	x.Request, err = e.Request.message(e.Request.PostData, nil)
	if err != nil {
		return x, fmt.Errorf("request: %w", err)
	}
	x.BytesIn = max(x.Request.Size, 0)
	if e.Answer == nil || e.Answer.Status == 0 {
		x.Answer.Cut = "none is recorded: the request was blocked or broken off"
		if e.Answer != nil {
			x.Error = e.Answer.Comment
		}
		return x, nil
	}
	x.Status, x.Replica = e.Answer.Status, e.Server
	x.Answer, err = e.Answer.message(e.Answer.Content, unpacked)
	if err != nil {
		return x, fmt.Errorf("response: %w", err)
	}
	x.BytesOut = max(x.Answer.Size, 0)
	return x, nil
}

// unpacked are the headers that say how a body passed that a HAR file has unpacked.
var unpacked = []string{"content-encoding", "transfer-encoding", "content-length"}

// version is the one that the model sees: what comes to a cluster over HTTP/2 or HTTP/3, as
// browsers have it, goes on over HTTP/1.1 where it is no gRPC.
func (r *harMessage) version() string {
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, "content-type") && strings.HasPrefix(strings.ToLower(h.Value), "application/grpc") {
			return "HTTP/2.0"
		}
	}
	if strings.EqualFold(r.Proto, "HTTP/1.0") {
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}
