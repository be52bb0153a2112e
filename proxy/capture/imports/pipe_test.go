package imports_test

import (
	"io"
	"testing"

	"github.com/caraml-dev/merlin-local/proxy/capture/imports"
)

func TestARecordingIsReadWhileItIsWritten(t *testing.T) {
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := io.WriteString(in, `{"seq":1,"kind":"exchange","fact":{"id":7}}`+"\n")
		done <- err
	}()
	for x, err := range imports.Read(out, imports.Options{}) { // the pipe says nothing more, and is not closed
		if err != nil || x.ID != 7 {
			t.Errorf("got %+v, %v", x, err)
		}
		break
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
