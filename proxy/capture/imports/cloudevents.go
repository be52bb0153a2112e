package imports

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// The types of KServe's logger, also by the names that KFServing gave them before.
const (
	loggedRequest  = "inference.request"
	loggedResponse = "inference.response"
)

// logged is one event of KServe's logger: a request's body or an answer's.
type logged struct {
	Spec      string          `json:"specversion"`
	Type      string          `json:"type"`
	ID        string          `json:"id"` // the same for both halves
	Time      time.Time       `json:"time"`
	Content   string          `json:"datacontenttype"` // the request's, also for answers
	Service   string          `json:"inferenceservicename"`
	Namespace string          `json:"namespace"`
	Metadata  string          `json:"metadata"` // the request's headers, as JSON
	Data      json.RawMessage `json:"data"`
	Base64    *string         `json:"data_base64"`
}

// cloudEvents reads events in their JSON form, one a line, or in a list; or as Knative's
// event_display prints them.
func (s *source) cloudEvents() error {
	begin, _ := s.in.Peek(looked)
	halves := &halves{source: s}
	var err error
	switch begin = bytes.TrimSpace(begin); {
	case len(begin) > 0 && begin[0] == '[':
		err = s.eventList(halves)
	case len(begin) > 0 && begin[0] != '{':
		err = s.displayed(halves)
	default:
		err = s.eventsInRow(halves)
	}
	if errors.Is(err, errStop) {
		return err
	}
	return errors.Join(halves.rest(), err)
}

// eventsInRow reads values of JSON one behind the other, whatever stands between them.
func (s *source) eventsInRow(h *halves) error {
	from := &gauge{r: s.in, most: s.Longest}
	decoder := json.NewDecoder(from)
	for number := 1; ; number++ {
		from.reset()
		if !decoder.More() && atEnd(decoder) {
			return nil
		}
		if err := nextEvent(decoder, number, h); err != nil {
			return err
		}
	}
}

// atEnd tells whether nothing but white space is left.
func atEnd(decoder *json.Decoder) bool {
	rest := make([]byte, 1)
	n, _ := decoder.Buffered().Read(rest)
	return n == 0 || strings.TrimSpace(string(rest)) == ""
}

func (s *source) eventList(h *halves) error {
	from := &gauge{r: s.in, most: s.Longest}
	decoder := json.NewDecoder(from)
	if _, err := decoder.Token(); err != nil {
		return err
	}
	number := 1
	for ; decoder.More(); number++ {
		from.reset()
		if err := nextEvent(decoder, number, h); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return &PlaceError{fmt.Sprintf("event %d", number), cutOff(err)}
	}
	return nil
}

func nextEvent(decoder *json.Decoder, number int, h *halves) error {
	var e logged
	err := decoder.Decode(&e)
	if err == nil {
		err = h.take(&e)
	}
	if err == nil || errors.Is(err, errStop) {
		return err
	}
	return &PlaceError{fmt.Sprintf("event %d", number), cutOff(err)}
}

// body is what the event carries.
func (e *logged) body() ([]byte, error) {
	if e.Base64 != nil {
		body, err := base64.StdEncoding.DecodeString(*e.Base64)
		if err != nil {
			return nil, fmt.Errorf("data_base64: %w", err)
		}
		return body, nil
	}
	var text string
	if !e.isJSON() && json.Unmarshal(e.Data, &text) == nil {
		return []byte(text), nil
	}
	return slices.Clone([]byte(e.Data)), nil
}

func (e *logged) isJSON() bool {
	kind, _, _ := strings.Cut(e.Content, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "" || kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// headers are those that the logger was told to keep.
func (e *logged) headers() []event.Field {
	all := []event.Field{{Name: "Content-Type", Value: e.Content}}
	if e.Content == "" {
		all[0].Value = "application/json"
	}
	var kept map[string][]string
	if e.Metadata == "" || json.Unmarshal([]byte(e.Metadata), &kept) != nil {
		return all
	}
	for name, values := range kept {
		for _, value := range values {
			if !strings.EqualFold(name, "Content-Type") {
				all = append(all, event.Field{Name: name, Value: value})
			}
		}
	}
	slices.SortStableFunc(all[1:], func(a, b event.Field) int { return strings.Compare(a.Name, b.Name) })
	return all
}
