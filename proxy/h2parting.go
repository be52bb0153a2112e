package proxy

import (
	"io"
	"net"
	"time"

	"golang.org/x/net/http2"
)

// h2Parting is how a connection ends that is not to: the client is told that no
// further request will be taken, then which was the last one, and may still read
// what it was told when the connection ends.
type h2Parting struct {
	begun  bool
	final  bool // the client has been told the last stream
	speaks bool // there is something to read for the client at the end
	timer  *time.Timer
}

const (
	// h2Grace is how long a client may take to hear of it, as with net/http.
	h2Grace = time.Second
	// h2Linger is how long a connection that has said all is read still. Closed
	// with something unread it might lose what the client has not read.
	h2Linger = time.Second
)

// h2PartingPing is answered by a client that has read the first GOAWAY.
const h2PartingPing = "parting."

// drain ends the connection after its running requests.
func (c *h2Conn) drain() {
	c.mu.Lock()
	if c.over || c.parting.begun {
		c.unlock()
		return
	}
	c.parting.begun = true
	if len(c.streams) == 0 {
		c.lastEnded()
	} else {
		c.client.goAway(h2WindowMax, http2.ErrCodeNo)
		c.client.append(http2.FramePing, 0, 0, []byte(h2PartingPing))
		c.parting.timer = time.AfterFunc(h2Grace, c.close)
	}
	c.unlock()
	c.flush()
}

// parted takes the answer to a PING. It is called with the lock held.
func (c *h2Conn) parted(f h2Frame) {
	if c.parting.begun && string(f.payload) == h2PartingPing {
		c.closing()
	}
}

func (c *h2Conn) close() {
	c.mu.Lock()
	c.closing()
	c.unlock()
	c.flush()
}

// closing takes no further stream. It is called with the lock held.
func (c *h2Conn) closing() {
	if c.parting.final || c.over {
		return
	}
	c.parting.final = true
	c.client.goAway(c.last, http2.ErrCodeNo)
	if len(c.streams) == 0 {
		c.leave()
	}
}

// lastEnded is called, with the lock held, when no stream is left.
func (c *h2Conn) lastEnded() {
	switch {
	case c.over || !c.parting.begun:
	case c.parting.final:
		c.leave()
	default:
		c.closing()
	}
}

// leave has the reader end the connection.
func (c *h2Conn) leave() {
	c.parting.speaks = true
	c.parting.stop()
	_ = c.client.conn.SetReadDeadline(time.Unix(1, 0))
}

func (p *h2Parting) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// linger lets the client read what it was told, then closes the connection.
func (c *h2Conn) linger() {
	conn := c.client.conn
	_ = conn.SetDeadline(time.Now().Add(h2Linger))
	c.client.flush()
	c.mu.Lock()
	for c.client.writing {
		c.room.Wait()
	}
	c.unlock()
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, onlyReader{conn})
	}
}

// onlyReader hides what else a connection can do.
type onlyReader struct{ net.Conn }
