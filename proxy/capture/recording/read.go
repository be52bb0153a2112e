package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Reader reads recordings. Its zero value does.
type Reader struct {
	// Longest is how many bytes a line may have; 0 is DefaultLongest.
	Longest int
}

// Read yields the exchanges of a recording, plain or compressed by gzip, in their order.
// A line that cannot be read ends them with a *LineError; what came before counts. Lines
// of other kinds are passed over, those of kinds that this version does not know too.
func Read(r io.Reader) iter.Seq2[event.Exchange, error] { return Reader{}.Read(r) }

// Read is as the function says.
func (o Reader) Read(r io.Reader) iter.Seq2[event.Exchange, error] {
	if o.Longest == 0 {
		o.Longest = DefaultLongest
	}
	return func(yield func(event.Exchange, error) bool) {
		in, err := Plain(r)
		if err != nil {
			yield(event.Exchange{}, &LineError{1, err})
			return
		}
		for line, err := range Lines(in, o.Longest) {
			if err != nil {
				yield(event.Exchange{}, err)
				return
			}
			if len(bytes.TrimSpace(line.Text)) == 0 {
				continue
			}
			x, is, err := exchange(line)
			if err != nil {
				yield(event.Exchange{}, &LineError{line.Number, err})
				return
			}
			if is && !yield(x, nil) {
				return
			}
		}
	}
}

// exchange reads a line; false where it is of another kind.
func exchange(line Line) (x event.Exchange, is bool, err error) {
	about, err := decode(line, likely(line.Text))
	if err != nil {
		return x, false, err
	}
	switch about.Kind {
	case "":
		return x, false, errors.New(`it has no "kind": it is no line of a recording`)
	case kindSession:
		return x, false, known(line.Text)
	case kindExchange:
	default:
		return x, false, nil
	}
	if about.Fact == nil && !likely(line.Text) {
		if about, err = decode(line, true); err != nil {
			return x, false, err
		}
	}
	if about.Fact == nil {
		return x, false, errors.New("its exchange is missing")
	}
	return *about.Fact, true, nil
}

// about is what is read of a line.
type about struct {
	Kind string          `json:"kind"`
	Fact *event.Exchange `json:"fact"`
}

// decode reads a line's kind, and its fact where it is to be an exchange.
func decode(line Line, fact bool) (a about, err error) {
	if fact {
		err = json.Unmarshal(line.Text, &a)
	} else {
		kind := struct{ Kind *string }{&a.Kind}
		err = json.Unmarshal(line.Text, &kind)
	}
	if err != nil && !line.Ended {
		err = fmt.Errorf("the file ends in the middle of it: %w", err)
	}
	return a, err
}

// beginning is where the kind stands in the lines that this program writes.
const beginning = 512

// likely tells whether a line looks like an exchange's, which is then read in one pass.
func likely(text []byte) bool {
	return bytes.Contains(text[:min(len(text), beginning)], []byte(`"kind":"exchange","fact":`))
}

// The kinds of the lines that are looked into.
var (
	kindSession  = event.Kind(event.Session{})
	kindExchange = event.Kind(event.Exchange{})
)

// known refuses what another version wrote in another form.
func known(text []byte) error {
	var line struct {
		Fact struct {
			Format  int    `json:"format"`
			Version string `json:"version"`
		} `json:"fact"`
	}
	if err := json.Unmarshal(text, &line); err != nil {
		return err
	}
	if line.Fact.Format < 0 || line.Fact.Format > event.Format {
		return fmt.Errorf("it is in format %d, of another merlin-local (%q); this one reads up to %d", line.Fact.Format, line.Fact.Version, event.Format)
	}
	return nil
}
