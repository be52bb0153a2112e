package imports

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/proxy/capture/recording"
)

// display is what event_display prints of one event, while it is read: attributes as
// "  name: value", and behind "Data," the body, indented where it is JSON.
type display struct {
	e    logged
	part string // the heading that was last
	data []byte
	line int // of its first
}

// displayed reads what Knative's event_display printed, as `kubectl logs` gives it.
func (s *source) displayed(h *halves) error {
	var d *display
	for line, err := range recording.Lines(s.in, s.Longest) {
		if at := (&recording.LineError{}); errors.As(err, &at) {
			return atLine(at.Line, at.Err)
		}
		text := bytes.TrimSuffix(line.Text, []byte("\r"))
		if heading := string(bytes.TrimSpace(text)); strings.HasSuffix(heading, "cloudevents.Event") || strings.HasPrefix(heading, "Validation: ") {
			if d != nil && d.part != "" { // what has begun is over
				if err := d.over(h); err != nil {
					return err
				}
				d = nil
			}
			if d == nil {
				d = &display{line: line.Number}
			}
			continue
		}
		if d == nil {
			d = &display{line: line.Number}
		}
		if d.take(text); len(d.data) > s.Longest {
			return atLine(line.Number, fmt.Errorf("its data is longer than %d bytes", s.Longest))
		}
	}
	if d != nil && d.part != "" {
		return d.over(h)
	}
	return nil
}

// take takes a line.
func (d *display) take(line []byte) {
	switch heading := string(bytes.TrimSpace(line)); heading {
	case "Context Attributes,", "Extensions,", "Data,", "Data (binary),":
		if !strings.HasPrefix(d.part, "Data") {
			d.part = heading
			return
		}
	}
	if strings.HasPrefix(d.part, "Data") {
		d.data = append(append(d.data, line...), '\n')
		return
	}
	name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
	d.attribute(name, strings.TrimSpace(value))
}

func (d *display) attribute(name, value string) {
	for known, at := range map[string]*string{
		"specversion": &d.e.Spec, "type": &d.e.Type, "id": &d.e.ID, "datacontenttype": &d.e.Content,
		"inferenceservicename": &d.e.Service, "namespace": &d.e.Namespace, "metadata": &d.e.Metadata,
	} {
		if known == name {
			*at = value
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, value); name == "time" && err == nil {
		d.e.Time = at
	}
}

// over hands the event on. JSON was indented for display, and is made compact again.
func (d *display) over(h *halves) error {
	body := bytes.TrimPrefix(bytes.TrimRight(d.data, "\n"), []byte("  "))
	if json.Valid(body) {
		var compact bytes.Buffer
		if err := json.Compact(&compact, body); err != nil {
			return atLine(d.line, err)
		}
		body = compact.Bytes()
		h.note("bodies were indented for display: their white space is not as it was sent")
	}
	text := base64.StdEncoding.EncodeToString(body)
	d.e.Base64 = &text
	err := h.take(&d.e)
	if err == nil || errors.Is(err, errStop) {
		return err
	}
	return atLine(d.line, err)
}
