package proxy

import (
	"net/http"
	"time"
)

// count adds an exchange that has ended to its model's meter.
func (x *exchange) count(ended time.Time) {
	if x.uncounted || x.model == nil {
		return
	}
	m := &x.model.meter
	if x.failed() {
		m.failed.Add(1)
	}
	m.took.observe(ended.Sub(x.arrived))
	m.ended.Add(1)
	if x.reached.IsZero() {
		return // queue-proxy never saw it
	}
	m.requests.observe(x.recorded(), ended.Sub(x.reached))
	if !x.started.IsZero() {
		m.app.observe(x.recordedBehind(), ended.Sub(x.started))
	}
}

// recorded is the status that queue-proxy's own recorder sees: 500 where the answer
// broke off, and 200 where it saw none.
func (x *exchange) recorded() int {
	switch status := x.fact.Status; {
	case x.broken:
		return http.StatusInternalServerError
	case status < http.StatusOK || status == statusGone:
		return http.StatusOK
	default:
		return status
	}
}

// recordedBehind is recorded as the recorder behind the timeouts sees it, whose
// answer is none to it.
func (x *exchange) recordedBehind() int {
	if x.clock.struck() {
		return http.StatusOK
	}
	return x.recorded()
}

// failed tells whether the request ended in an error that is not the client's.
func (x *exchange) failed() bool {
	if status := x.fact.GRPCStatus; status != nil {
		switch *status {
		case 2, 4, 12, 13, 14, 15: // what gRPC counts as the server's
			return true
		}
	}
	return x.fact.Status >= http.StatusInternalServerError || (x.broken && x.failure != errGone)
}
