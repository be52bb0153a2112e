package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// exampleName is the file in a model repo that holds a request to try.
const exampleName = "request.json"

// exampleInline is the size up to which an example stands on the command line.
const exampleInline = 512

// paste gives a ready model's address and a command line that calls it.
func paste(m *session.Model, models []*emulator.Model) string {
	data := exampleData(m.ID, models)
	several := len(models) > 1
	if m.URLs.GRPC != "" {
		return "  " + m.URLs.GRPC + "\n  " + grpcurl(m, data, several)
	}
	return "  " + m.URLs.Predict + "\n  " + curl(m, data, several)
}

func curl(m *session.Model, data string, several bool) string {
	words := []string{"curl", m.URLs.Predict}
	if several {
		words = append(words, "-H", quote("Host: "+m.URLs.Host))
	}
	words = append(words, "-H", quote("Content-Type: application/json"), "-d", quote(data))
	return strings.Join(words, " ")
}

func grpcurl(m *session.Model, data string, several bool) string {
	words := []string{"grpcurl", "-plaintext"}
	if several {
		words = append(words, "-authority", m.URLs.Host)
	}
	input := ""
	if strings.HasPrefix(data, "@") { // grpcurl reads a file only from its input
		data, input = "@", " < "+quote(data[1:])
	}
	words = append(words, "-d", quote(data), m.URLs.GRPC, upiMethod)
	return strings.Join(words, " ") + input
}

// upiMethod is the one method of the UPI service that predicts.
const upiMethod = "caraml.upi.v1.UniversalPredictionService/PredictValues"

// exampleData is the repo's example request on one line, or "@file" where it is too
// long or cannot be quoted everywhere; an empty object where the repo has none.
func exampleData(id string, models []*emulator.Model) string {
	path, data := example(id, models)
	if data == nil {
		return "{}"
	}
	return onOneLine(path, data)
}

func onOneLine(path string, data []byte) string {
	var line bytes.Buffer
	if json.Compact(&line, data) != nil || line.Len() > exampleInline || bytes.ContainsAny(line.Bytes(), "'") {
		return "@" + path
	}
	return line.String()
}

// example reads the example request beside a model's configuration, if there is one.
func example(id string, models []*emulator.Model) (path string, data []byte) {
	for _, m := range models {
		if m.ID() != id {
			continue
		}
		path = filepath.Join(m.Dir, exampleName)
		if data, err := os.ReadFile(path); err == nil {
			return path, data
		}
	}
	return "", nil
}

// quote makes one word for a shell of a text.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
