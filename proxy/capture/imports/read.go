package imports

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture"
	"github.com/caraml-dev/merlin-local/proxy/capture/recording"
)

// Format is what a file is written in.
type Format string

// The formats.
const (
	Recording     Format = "recording"      // this program's own
	HAR           Format = "har"            // HTTP Archive 1.2, of browsers and proxies
	Commands      Format = "curl"           // curl and grpcurl command lines
	CloudEvents   Format = "cloudevents"    // KServe's logger: JSON, or what event_display prints
	AccessLog     Format = "access-log"     // queue-proxy's
	Bodies        Format = "bodies"         // JSON, one request's body a line
	PredictionLog Format = "prediction-log" // UPI's: JSON lines, or length-delimited protobuf
)

// Formats are all of them.
func Formats() []Format {
	return []Format{Recording, HAR, Commands, CloudEvents, AccessLog, Bodies, PredictionLog}
}

// Options say how a file is read. The zero value recognises the format.
type Options struct {
	Format Format // empty is recognised by the content
	// Model is the name in the path of requests that do not name a model, as "iris-1".
	Model string
	// Longest is how many bytes a line, an entry or a command may have; 0 is
	// recording.DefaultLongest. Commands have at most 64 MiB.
	Longest int
	// Recognised is told the format before the first exchange, and Note what of the file
	// is not in the exchanges, or not as it was; both may be nil.
	Recognised func(Format)
	Note       func(text string)
	// Hide hides what is not to be kept; nil hides what the capture always does.
	Hide func(event.Exchange) event.Exchange
}

// source is a file while it is read.
type source struct {
	Options
	in    *bufio.Reader
	yield func(event.Exchange, error) bool
	noted map[string]bool
}

// errStop ends a reading of which no more is wanted.
var errStop = errors.New("no more is wanted")

// Read yields the requests of a file, and the answers where it has them. An error ends
// them; it is a PlaceError where it has a place, and a recording.LineError in a recording.
func Read(r io.Reader, o Options) iter.Seq2[event.Exchange, error] {
	return func(yield func(event.Exchange, error) bool) {
		s := &source{Options: o, yield: yield, noted: map[string]bool{}}
		if err := s.read(r); err != nil && !errors.Is(err, errStop) {
			yield(event.Exchange{}, err)
		}
	}
}

func (s *source) read(r io.Reader) (err error) {
	if s.Longest == 0 {
		s.Longest = recording.DefaultLongest
	}
	if s.Hide == nil {
		hiding, err := capture.NewHiding(capture.Options{})
		if err != nil {
			return err
		}
		s.Hide = hiding.Exchange
	}
	if s.in, err = recording.Plain(r); err != nil {
		return atLine(1, err)
	}
	if s.in, err = text(s.in); err != nil {
		return err
	}
	if s.Format == "" {
		if s.Format, err = recognise(s.in); err != nil || s.Format == "" {
			return err
		}
	}
	reader, is := readers[s.Format]
	if !is {
		return fmt.Errorf("there is no format %q: it is %s", s.Format, names())
	}
	if s.Recognised != nil {
		s.Recognised(s.Format)
	}
	return reader(s)
}

// readers read the formats.
var readers = map[Format]func(*source) error{
	Recording: (*source).recording, HAR: (*source).har, Commands: (*source).commands,
	CloudEvents: (*source).cloudEvents, AccessLog: (*source).accessLog, Bodies: (*source).bodies,
	PredictionLog: (*source).predictionLogs,
}

// names are the formats in words.
func names() string {
	var all []string
	for _, f := range Formats() {
		all = append(all, string(f))
	}
	return strings.Join(all, ", ")
}

// text leaves out the mark that some programs put in front of UTF-8.
func text(in *bufio.Reader) (*bufio.Reader, error) {
	if mark, _ := in.Peek(3); string(mark) == "\xef\xbb\xbf" {
		if _, err := in.Discard(3); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// give hands an exchange on, rid of what is secret.
func (s *source) give(x event.Exchange) error {
	if !s.yield(s.Hide(x), nil) {
		return errStop
	}
	return nil
}

// note tells something of the file once.
func (s *source) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s.Note == nil || s.noted[text] || len(s.noted) >= mostNotes {
		return
	}
	s.noted[text] = true
	s.Note(text)
}

// mostNotes bounds what is told of one file.
const mostNotes = 100

// lines calls take for every line that is not blank.
func (s *source) lines(take func(number int, text []byte) error) error {
	for line, err := range recording.Lines(s.in, s.Longest) {
		if at := (&recording.LineError{}); errors.As(err, &at) {
			return atLine(at.Line, at.Err)
		}
		text := bytes.TrimSpace(line.Text)
		if len(text) == 0 {
			continue
		}
		if err := take(line.Number, text); err != nil {
			if errors.Is(err, errStop) {
				return err
			}
			return atLine(line.Number, err)
		}
	}
	return nil
}

func (s *source) recording() error {
	for x, err := range (recording.Reader{Longest: s.Longest}).Read(s.in) {
		if err != nil {
			return err
		}
		if err := s.give(x); err != nil {
			return err
		}
	}
	return nil
}

// predict is a request to a model, of which the body alone is known.
func predict(model string, body []byte) event.Exchange {
	x := event.Exchange{Served: event.Served{
		Method: http.MethodPost, Path: "/v1/models/" + model + ":predict", Proto: "HTTP/1.1", BytesIn: int64(len(body)),
	}}
	x.Request = event.Message{Header: []event.Field{{Name: "Content-Type", Value: "application/json"}}, Body: body, Size: int64(len(body))}
	return x
}
