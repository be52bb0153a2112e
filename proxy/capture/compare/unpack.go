package compare

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// unpack is a body without its content codings, the last one first. An error says why it
// stays as it is.
func unpack(body []byte, codings string) ([]byte, error) {
	all := strings.Split(codings, ",")
	for i := len(all) - 1; i >= 0; i-- {
		coding := strings.ToLower(strings.TrimSpace(all[i]))
		if coding == "" || coding == "identity" || len(body) == 0 {
			continue
		}
		from, err := reader(bytes.NewReader(body), coding)
		if err != nil {
			return nil, err
		}
		plain, err := io.ReadAll(io.LimitReader(from, largest+1))
		from.Close()
		switch {
		case err != nil:
			return nil, fmt.Errorf("unpack %s: %w", coding, err)
		case len(plain) > largest:
			return nil, fmt.Errorf("unpacked it is more than %d MiB", largest>>20)
		}
		body = plain
	}
	return body, nil
}

func reader(from io.Reader, coding string) (io.ReadCloser, error) {
	switch coding {
	case "gzip", "x-gzip":
		return wrapped(gzip.NewReader(from))
	case "deflate":
		return wrapped(zlib.NewReader(from))
	case "zstd":
		z, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*largest))
		if err != nil {
			return nil, fmt.Errorf("unpack zstd: %w", err)
		}
		return z.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("the compression %q is not known here", coding)
}

func wrapped[R io.ReadCloser](r R, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return r, nil
}

// field is the values of a header or trailer field, in their order.
func field(m *event.Message, name string) (all []string) {
	for _, fields := range [][]event.Field{m.Header, m.Trailer} {
		for _, f := range fields {
			if strings.EqualFold(f.Name, name) {
				all = append(all, f.Value)
			}
		}
	}
	return all
}
