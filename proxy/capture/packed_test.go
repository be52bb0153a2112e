package capture

import (
	"bytes"
	"compress/gzip"
)

func packed(text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text)) // a buffer takes all
	_ = w.Close()
	return out.Bytes()
}
