package proxy

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
)

// closing is a body that its server closes once it was read to the end.
type closing struct {
	text   string
	closed bool
}

func (c *closing) Read(p []byte) (int, error) {
	if c.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	n := copy(p, c.text)
	c.closed = true
	return n, io.EOF
}

func (*closing) Close() error { return nil }

func TestTheEndOfABodyStaysItsEnd(t *testing.T) {
	u := &upload{ReadCloser: &closing{text: "abc"}, x: &exchange{}}
	for range 3 {
		if _, err := u.Read(make([]byte, 8)); !errors.Is(err, io.EOF) {
			t.Fatalf("got %v", err)
		}
	}
	if n := u.x.in.Load(); n != 3 {
		t.Errorf("counted %d", n)
	}
}

func TestABodyThatTheServerClosedBreaksNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		u := &upload{ReadCloser: &closing{closed: true}, x: &exchange{}, over: over}
		got := make(chan error, 1)
		go func() {
			_, err := u.Read(make([]byte, 8))
			got <- err
		}()
		synctest.Wait()
		if len(got) > 0 {
			t.Fatal("the error is told while the answer may still be on its way")
		}
		close(over)
		if err := <-got; !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("got %v", err)
		}
	})
}
