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
	status, _ := x.recorded()
	m.requests.observe(status, ended.Sub(x.reached))
	if !x.started.IsZero() {
		m.app.observe(x.recordedBehind(), ended.Sub(x.started))
	}
}

// recorded is the status and the size that queue-proxy's own recorder sees: nothing
// of an upgrade, and an error where the answer broke off.
func (x *exchange) recorded() (status, size int) {
	switch {
	case x.broken:
		return http.StatusInternalServerError, 0
	case x.own != nil:
		return x.own.wire(), len(x.own.body)
	case x.fact.Status < http.StatusOK:
		return http.StatusOK, 0
	default:
		return x.fact.Status, int(x.out.Load())
	}
}

// recordedBehind is the status that the recorder behind the timeouts sees: not
// their answer, but how the container's ended when they cancelled it.
func (x *exchange) recordedBehind() int {
	switch status, _ := x.recorded(); {
	case x.fact.Status == http.StatusSwitchingProtocols:
		return status
	case x.clock.struck():
		return http.StatusBadGateway
	case x.clock.lapsed():
		return http.StatusInternalServerError
	default:
		return status
	}
}

// failed tells whether the request ended in an error that is not the client's.
func (x *exchange) failed() bool {
	return x.fact.ServersError() || (x.broken && x.failure != errGone)
}
