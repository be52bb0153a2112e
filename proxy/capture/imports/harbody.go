package imports

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// harBody is postData or content.
type harBody struct {
	Mime     string     `json:"mimeType"`
	Text     *string    `json:"text"`
	Encoding string     `json:"encoding"` // base64, or none
	Params   []harField `json:"params"`   // in place of text
	Size     float64    `json:"size"`
}

// message is a side with its body; headers that are not true of it are left out.
func (m *harMessage) message(body *harBody, without []string) (out event.Message, err error) {
	for _, h := range m.Headers {
		if !strings.HasPrefix(h.Name, ":") && !slices.Contains(without, strings.ToLower(h.Name)) {
			out.Header = append(out.Header, event.Field{Name: h.Name, Value: h.Value})
		}
	}
	if body == nil {
		body = &harBody{Size: m.BodySize}
	}
	there := false
	if out.Body, there, err = body.bytes(); err != nil {
		return out, err
	}
	out.Size = int64(len(out.Body))
	if passed := int64(min(max(body.Size, sizeOf(m, without)), 1<<50)); passed > out.Size && !there {
		out.Size = passed
		out.Cut = fmt.Sprintf("none of its %d bytes are kept: the HAR file does not have them", passed)
	}
	if there && body.Mime != "" && !slices.ContainsFunc(out.Header, func(f event.Field) bool { return strings.EqualFold(f.Name, "content-type") }) {
		out.Header = append(out.Header, event.Field{Name: "Content-Type", Value: body.Mime})
	}
	return out, nil
}

// sizeOf is how much passed, where that says how large the body is.
func sizeOf(m *harMessage, without []string) float64 {
	if without != nil { // it was unpacked
		return 0
	}
	return m.BodySize
}

// bytes is the body; there tells whether the file has it.
func (b *harBody) bytes() (body []byte, there bool, err error) {
	switch {
	case b.Text != nil && strings.EqualFold(b.Encoding, "base64"):
		body, err = base64.StdEncoding.DecodeString(*b.Text)
		if err != nil {
			return nil, false, fmt.Errorf("its text is no base64: %w", err)
		}
		return body, true, nil
	case b.Text != nil && *b.Text != "":
		return []byte(*b.Text), true, nil
	case len(b.Params) > 0 && strings.HasPrefix(strings.ToLower(b.Mime), "application/x-www-form-urlencoded"):
		var all []string
		for _, p := range b.Params {
			all = append(all, url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
		}
		return []byte(strings.Join(all, "&")), true, nil
	}
	return nil, false, nil
}
