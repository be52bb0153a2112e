// Package attach is where an editor finds the debugger of a model: one port of loopback
// that stays, whichever container the debugger is in, and that knows when somebody is
// connected.
//
// Offer may be called from any goroutine; attached is called from one, with true and
// false in turn, and with no lock held.
package attach

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Port carries connections to the debugger that was offered last.
type Port struct {
	listener net.Listener
	attached func(bool)

	mu     sync.Mutex
	offers []*netip.AddrPort
}

// New returns a port on a TCP listener that Serve closes. It calls attached when the
// first connection to a debugger is there, and when the last one has ended.
func New(listener net.Listener, attached func(bool)) *Port {
	return &Port{listener: listener, attached: attached}
}

// Address is where an editor connects.
func (p *Port) Address() netip.AddrPort {
	return p.listener.Addr().(*net.TCPAddr).AddrPort()
}

// Offer has later connections go to a debugger, until it is withdrawn; then they go to
// the one offered before. Those that are there stay.
func (p *Port) Offer(debugger netip.AddrPort) (withdraw func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	offer := &debugger
	p.offers = append(p.offers, offer)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.offers = slices.DeleteFunc(p.offers, func(o *netip.AddrPort) bool { return o == offer })
	}
}

func (p *Port) debugger() (netip.AddrPort, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.offers) == 0 {
		return netip.AddrPort{}, false
	}
	return *p.offers[len(p.offers)-1], true
}

// Serve carries connections until ctx ends, which cuts them, or the listener fails.
// Nothing that it started is left when it returns, and nobody is attached.
func (p *Port) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = p.listener.Close() })
	defer stop()
	changes, told := make(chan int), make(chan struct{})
	go func() {
		defer close(told)
		p.tell(changes)
	}()
	var carrying sync.WaitGroup
	err := p.accept(func(editor net.Conn) { carrying.Go(func() { p.carry(ctx, editor, changes) }) })
	if ctx.Err() != nil {
		err = nil
	}
	cancel()
	carrying.Wait()
	close(changes)
	<-told
	return err
}

// acceptAgain is the pause after what may pass, such as too many open files.
const acceptAgain = 50 * time.Millisecond

func (p *Port) accept(carry func(net.Conn)) error {
	for {
		editor, err := p.listener.Accept()
		switch {
		case err == nil:
			carry(editor)
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			time.Sleep(acceptAgain)
		}
	}
}

// tell counts connections.
func (p *Port) tell(changes <-chan int) {
	connections := 0
	for change := range changes {
		before := connections
		connections += change
		if (before == 0) != (connections == 0) {
			p.attached(connections > 0)
		}
	}
}

// connectLimit bounds the wait for a debugger that does not answer at all.
const connectLimit = 5 * time.Second

// carry connects an editor with the debugger until either has ended.
func (p *Port) carry(ctx context.Context, editor net.Conn, changes chan<- int) {
	defer editor.Close()
	address, ok := p.debugger()
	if !ok {
		return
	}
	dialer := net.Dialer{Timeout: connectLimit}
	debugger, err := dialer.DialContext(ctx, "tcp", address.String())
	if err != nil {
		return // the editor sees its connection end, as if nobody listened
	}
	defer debugger.Close()
	changes <- 1
	defer func() { changes <- -1 }()
	cut := context.AfterFunc(ctx, func() {
		_ = editor.Close()
		_ = debugger.Close()
	})
	defer cut()
	var copying sync.WaitGroup
	copying.Go(func() { // an editor that is gone is detached, whatever the debugger has to say
		_, _ = io.Copy(debugger, editor)
		_ = debugger.Close()
	})
	copying.Go(func() {
		_, _ = io.Copy(editor, debugger)
		_ = editor.Close()
	})
	copying.Wait()
}
