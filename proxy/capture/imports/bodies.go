package imports

import (
	"bytes"
	"encoding/json"
	"errors"
)

// bodies reads JSON, one body a line, to the model that the options name.
func (s *source) bodies() error {
	return s.lines(func(_ int, text []byte) error {
		if !json.Valid(text) {
			return errors.New("it is no JSON: each line is the body of one request")
		}
		if s.Model == "" {
			return errors.New("bodies alone do not say which model they are for: name it with `merlin-local import --model`")
		}
		x := predict(s.Model, bytes.Clone(text))
		x.Answer.Cut = "no answer is recorded: the file has bodies of requests alone"
		return s.give(x)
	})
}
