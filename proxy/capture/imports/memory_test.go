package imports_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/proxy/capture/imports"
)

// Each file comes through a pipe and is never all there.
func TestLongFilesTakeTheMemoryOfOnePiece(t *testing.T) {
	const pieces, most = 60, 8 << 20
	body := strings.Repeat("0123456789abcdef", 1<<14)
	for format, piece := range map[imports.Format]string{
		imports.HAR:         `{"request": {"method": "POST", "url": "http://a/", "postData": {"text": "%s"}}, "response": {"status": 200}},`,
		imports.Commands:    "curl a.b -d '%s'\n",
		imports.CloudEvents: `{"specversion":"1.0","id":"1","type":"a.inference.request","inferenceservicename":"m","data":"%[1]s"}{"specversion":"1.0","id":"1","type":"a.inference.response","inferenceservicename":"m","data":"%[1]s"}`,
		imports.Bodies:      "\"%s\"\n",
	} {
		out, in := io.Pipe()
		done := make(chan error, 1)
		go func() {
			var err error
			if format == imports.HAR {
				_, err = io.WriteString(in, `{"log": {"entries": [`)
			}
			for i := 0; i < pieces && err == nil; i++ {
				text := fmt.Sprintf(piece, body)
				if i == pieces-1 && format == imports.HAR {
					text = strings.TrimSuffix(text, ",") + "]}}"
				}
				_, err = io.WriteString(in, text)
			}
			done <- errors.Join(err, in.Close())
		}()
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		before, highest, got := memory.HeapAlloc, uint64(0), 0
		for x, err := range imports.Read(out, imports.Options{Format: format, Model: "m"}) {
			if err != nil || len(x.Request.Body) < len(body) {
				t.Fatal(format, err, len(x.Request.Body))
			}
			got++
			runtime.GC()
			runtime.ReadMemStats(&memory)
			highest = max(highest, memory.HeapAlloc)
		}
		if err := <-done; err != nil || got != pieces {
			t.Errorf("%s: %d of %d were read, %v", format, got, pieces, err)
		}
		if highest > before+most {
			t.Errorf("%s: %d MiB of memory are in use, %d before", format, highest>>20, before>>20)
		}
	}
}
