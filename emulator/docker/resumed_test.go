package docker

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAStreamReadAgainGoesOnWhereItBroke(t *testing.T) {
	var got bytes.Buffer
	r := &resumed{w: &got}
	for _, cut := range []int{3, 0, 7, 7, 12} {
		r.rewind()
		_, err := io.Copy(r, iotest.OneByteReader(strings.NewReader("hello, world"[:cut])))
		if err != nil {
			t.Fatal(err)
		}
	}
	if got.String() != "hello, world" {
		t.Errorf("got %q", got.String())
	}
}
