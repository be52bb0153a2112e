package imports

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// mostWaiting bounds the bytes of what waits for its other half.
const mostWaiting = 64 << 20

// halves joins requests and answers of the same id, whichever comes first.
type halves struct {
	*source
	waits map[string]*half
	order []string // the oldest first; some have gone
	bytes int
}

// half is an exchange of which one side has come.
type half struct {
	x        event.Exchange
	asked    bool
	answered bool
}

func (h *half) size() int { return len(h.x.Request.Body) + len(h.x.Answer.Body) + 512 }

// take takes an event.
func (h *halves) take(e *logged) error {
	asks := strings.HasSuffix(e.Type, loggedRequest)
	switch {
	case e.Spec == "" || e.ID == "":
		return errors.New("it is no CloudEvent: it has no specversion or no id")
	case !asks && !strings.HasSuffix(e.Type, loggedResponse):
		h.note("events of type %q are none of KServe's logger, and are left out", e.Type)
		return nil
	}
	if e.Service == "" {
		if e.Service = h.Model; e.Service == "" {
			return errors.New("it has no inferenceservicename: name the model with `merlin-local import --model`")
		}
	}
	body, err := e.body()
	if err != nil {
		return err
	}
	if h.waits == nil {
		h.waits = map[string]*half{}
	}
	key := e.Namespace + "/" + e.Service + "/" + e.ID
	one := h.waits[key]
	if one != nil && (asks && one.asked || !asks && one.answered) { // the id is used again
		if err := h.release(key); err != nil {
			return err
		}
		one = nil
	}
	if one == nil {
		one = &half{}
		h.waits[key], h.order = one, append(h.order, key)
	} else {
		h.bytes -= one.size()
	}
	one.add(e, body, asks)
	h.bytes += one.size()
	if one.asked && one.answered {
		return h.release(key)
	}
	h.forget()
	return h.bound()
}

// forget takes those that have gone out of the order, now and then.
func (h *halves) forget() {
	if len(h.order) > 2*len(h.waits)+1024 {
		h.order = slices.DeleteFunc(h.order, func(key string) bool { return h.waits[key] == nil })
	}
}

func (h *half) add(e *logged, body []byte, asks bool) {
	if !asks {
		h.answered = true
		h.x.Status = http.StatusOK // no other is logged
		h.x.Answer = event.Message{Body: body, Size: int64(len(body))}
		h.x.BytesOut = int64(len(body))
		if h.asked && e.Time.After(h.x.Arrived) {
			h.x.Took = e.Time.Sub(h.x.Arrived)
		}
		return
	}
	answer, status := h.x.Answer, h.x.Status
	h.x = predict(e.Service, body)
	h.x.Request.Header = e.headers()
	h.x.Answer, h.x.Status, h.x.BytesOut = answer, status, answer.Size
	h.x.Arrived, h.asked = e.Time.UTC(), true
	if h.x.Host = e.Service; e.Namespace != "" {
		h.x.Host += "." + e.Namespace
	}
}

// bound lets the oldest go where too much waits.
func (h *halves) bound() error {
	for len(h.order) > 0 {
		if _, waits := h.waits[h.order[0]]; waits && h.bytes <= mostWaiting {
			break
		}
		key := h.order[0]
		h.order = h.order[1:]
		if err := h.release(key); err != nil {
			return err
		}
	}
	return nil
}

// release hands on what there is of one.
func (h *halves) release(key string) error {
	one := h.waits[key]
	if one == nil {
		return nil
	}
	delete(h.waits, key)
	h.bytes -= one.size()
	switch {
	case !one.asked:
		h.note("answers without their request are left out: the logger dropped it, or it stands in another file")
		return nil
	case !one.answered:
		one.x.Answer.Cut = "no answer is recorded: KServe's logger keeps none but those of status 200, and drops some"
	}
	return h.give(one.x)
}

// rest hands on what still waits, in its order.
func (h *halves) rest() error {
	for _, key := range h.order {
		if err := h.release(key); err != nil {
			return err
		}
	}
	return nil
}
