package tui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// draft is what was edited and could not be sent, so that the next try begins with it.
type draft struct {
	id   uint64
	text []byte
}

// editable is a request's body as a text that a person can edit, and what it is in the
// name of a file.
func editable(x *event.Exchange) (text []byte, extension string, err error) {
	m := &x.Request
	if err := whole(m); err != nil {
		return nil, "", err
	}
	if isGRPC(m) {
		text, err := asJSON(m, x.Path, true)
		if err != nil {
			return nil, "", fmt.Errorf("messages of gRPC are edited as JSON: %w", err)
		}
		return indented(text), "json", nil
	}
	plain, coding, err := unpack(m)
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("the body is %s, which cannot be unpacked: %w", coding, err)
	case len(plain) >= unpacked:
		return nil, "", fmt.Errorf("the body is larger than %s: export it with x", size(unpacked))
	case !isText(plain, false):
		return nil, "", errors.New("the body is no text: export it with x")
	}
	extension = "txt"
	if looksLikeJSON(plain) {
		extension = "json"
	}
	return plain, extension, nil
}

// indented is several values of JSON, each over lines.
func indented(values []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(values) {
		if json.Indent(&out, bytes.TrimSpace(line), "", "  ") != nil {
			return values
		}
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// edited is the exchange with that text as its request's body, to be sent.
func edited(x *event.Exchange, text []byte) (event.Exchange, error) {
	out := *x
	out.Request.Header = slices.Clone(x.Request.Header)
	if isGRPC(&x.Request) {
		body, err := fromJSON(text, x.Path)
		if err != nil {
			return out, err
		}
		out.Request.Body = body
		drop(&out.Request, "grpc-encoding")
	} else {
		out.Request.Body = text
		drop(&out.Request, "content-encoding")
	}
	out.Request.Size = int64(len(out.Request.Body))
	drop(&out.Request, "content-length")
	return out, nil
}

func drop(m *event.Message, name string) {
	m.Header = slices.DeleteFunc(m.Header, func(f event.Field) bool { return strings.EqualFold(f.Name, name) })
}

// fromJSON makes messages of gRPC of the values that asJSON gave.
func fromJSON(text []byte, method string) ([]byte, error) {
	of := messageType(method, true)
	var body []byte
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var value json.RawMessage
		switch err := decoder.Decode(&value); {
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, fmt.Errorf("this is no JSON: %w", err)
		}
		message := newMessage(of)
		if err := protojson.Unmarshal(value, message); err != nil {
			return nil, fmt.Errorf("this is no %s: %w", of.FullName(), err)
		}
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
		if err != nil {
			return nil, err
		}
		body = append(body, event.GRPCFrame(data)...)
	}
}

// editing is a request's body while it is in an editor.
type editing struct {
	exchange event.Exchange
	path     string // of the file; it is ours to remove
	before   []byte // the text that it began with
}

// beginEdit writes the text into a file for an editor; draft is what an earlier try left.
func beginEdit(x event.Exchange, draft []byte) (*editing, error) {
	text, extension, err := editable(&x)
	if err != nil {
		return nil, err
	}
	e := &editing{exchange: x, before: text}
	if draft != nil {
		text = draft
	}
	file, err := os.CreateTemp("", fmt.Sprintf("merlin-local-request-%d-*.%s", x.ID, extension))
	if err != nil {
		return nil, err
	}
	e.path = file.Name()
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(e.path))
	}
	return e, nil
}

var errUnchanged = errors.New("nothing was changed: not sent (r sends it again as it was)")

// finish reads what the editor left, and removes the file.
func (e *editing) finish(failed error) (text []byte, err error) {
	text, err = os.ReadFile(e.path)
	err = errors.Join(err, os.Remove(e.path))
	switch {
	case failed != nil:
		return nil, fmt.Errorf("not sent: the editor: %w", failed)
	case err != nil:
		return nil, err
	}
	if !bytes.HasSuffix(e.before, []byte("\n")) {
		text = bytes.TrimSuffix(text, []byte("\n")) // which editors add
	}
	if bytes.Equal(text, e.before) {
		return nil, errUnchanged
	}
	return text, nil
}

// editor is the command that opens a file in the person's editor: $VISUAL, $EDITOR, or
// what each system has.
func editor(getenv func(string) string, path string) *exec.Cmd {
	name := getenv("VISUAL")
	if name == "" {
		name = getenv("EDITOR")
	}
	if runtime.GOOS == "windows" {
		if name == "" {
			name = "notepad"
		}
		if found, err := exec.LookPath(name); err == nil {
			return exec.Command(found, path)
		}
		words := strings.Fields(name)
		return exec.Command(words[0], append(words[1:], path)...)
	}
	if name == "" {
		name = "vi"
	}
	return exec.Command("sh", "-c", name+` "$@"`, name, path) // it may have options, as git reads it
}
