package capture

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Hiding hides in exchanges that did not pass through a Store what its rules would have
// hidden. It may be used by several goroutines.
type Hiding struct{ rules rules }

// NewHiding takes the options that say what is hidden.
func NewHiding(o Options) (*Hiding, error) {
	r, err := newRules(o)
	return &Hiding{r}, err
}

// Exchange returns the exchange as it may be shown and kept; x stays as it is.
func (h *Hiding) Exchange(x event.Exchange) event.Exchange { return h.rules.exchange(x) }

// Hidden returns an exchange as the store's rules let it be shown and kept; x stays as it is.
func (s *Store) Hidden(x event.Exchange) event.Exchange { return s.rules.Load().exchange(x) }

func (r *rules) exchange(x event.Exchange) event.Exchange {
	x.Query, x.Error = r.query(x.Query), r.text(x.Error)
	for _, m := range []*event.Message{&x.Request, &x.Answer} {
		m.Header, m.Trailer = r.fields(m.Header), r.fields(m.Trailer)
		r.body(m)
	}
	return x
}

func (r *rules) fields(fields []event.Field) []event.Field {
	fields = slices.Clone(fields)
	for i := range fields {
		if f := &fields[i]; r.hides([]byte(f.Name)) {
			f.Value = Hidden
		} else {
			f.Value = r.text(f.Value)
		}
	}
	return fields
}

// body hides in a body; one that cannot be looked into is emptied.
func (r *rules) body(m *event.Message) {
	if len(m.Body) == 0 || !r.looksIntoBodies() {
		return
	}
	if coded(m) {
		if !r.harmless(m) {
			m.Body, m.Cut = nil, sentence(0, m.Size, cutCoded.String())
		}
		return
	}
	m.Body = bytes.Clone(m.Body)
	hid := r.cover(m.Body)
	if hide := r.hideJSON; len(r.json) > 0 && !m.IsGRPC() {
		events := isEvents(m)
		if events {
			hide = r.hideEvents
		}
		if events || looksLikeJSON(m.Body) {
			out, some, whole := hide(m.Body)
			m.Body, hid = out, hid || some
			if !whole && m.Cut == "" {
				m.Cut = sentence(int64(len(out)), m.Size, cutNotJSON.String())
			}
		}
	}
	if hid && m.Cut == "" {
		m.Cut = hiddenParts
	}
}

// coded tells whether a body is compressed.
func coded(m *event.Message) bool {
	return slices.ContainsFunc(m.Header, func(f event.Field) bool {
		name := strings.ToLower(f.Name)
		return (name == "content-encoding" || name == "grpc-encoding") && f.Value != "" && !strings.EqualFold(f.Value, "identity")
	})
}

func isEvents(m *event.Message) bool {
	return slices.ContainsFunc(m.Header, func(f event.Field) bool {
		return strings.EqualFold(f.Name, "content-type") && strings.HasPrefix(strings.ToLower(f.Value), "text/event-stream")
	})
}

// harmless tells whether a compressed body surely holds nothing that rules would hide.
func (r *rules) harmless(m *event.Message) bool {
	return len(r.json) == 0 && !m.IsGRPC() && m.Cut == "" && r.harmlessGzip(m.Body)
}

// harmlessGzip tells whether a body, unpacked, surely holds no secret.
func (r *rules) harmlessGzip(body []byte) bool {
	unpack, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return false
	}
	plain, err := io.ReadAll(io.LimitReader(unpack, longestUnpacked))
	return err == nil && len(plain) < longestUnpacked && !r.holds(plain)
}
