package probe

import (
	"context"
	"net"
	"sync"
)

// quiet is a connection that reads nothing before it has written. A gRPC server speaks
// first, and net/http would log every such connection.
type quiet struct {
	net.Conn
	once  sync.Once
	wrote chan struct{}
}

func dialQuietly(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &quiet{Conn: conn, wrote: make(chan struct{})}, nil
}

func (q *quiet) open() { q.once.Do(func() { close(q.wrote) }) }

func (q *quiet) Read(p []byte) (int, error) {
	<-q.wrote
	return q.Conn.Read(p)
}

func (q *quiet) Write(p []byte) (int, error) {
	defer q.open()
	return q.Conn.Write(p)
}

func (q *quiet) Close() error {
	q.open()
	return q.Conn.Close()
}
