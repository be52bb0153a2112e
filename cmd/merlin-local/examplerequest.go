package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	upiv1 "github.com/caraml-dev/universal-prediction-interface/gen/go/grpc/caraml/upi/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// exampleRequest gives the request.json of the repo in dir as the screen sends it: an
// exchange that is only its request, and as a command line to paste into a shell.
func exampleRequest(dir string, several bool) func(m session.Model) (event.Exchange, string, error) {
	return func(m session.Model) (event.Exchange, string, error) {
		path := filepath.Join(dir, exampleName)
		data, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return event.Exchange{}, "", fmt.Errorf("put a request into %s: there is none", path)
		}
		if err != nil {
			return event.Exchange{}, "", err
		}
		if m.URLs.GRPC != "" {
			x, err := upiExample(m, data)
			return x, grpcurl(&m, onOneLine(path, data), several), err
		}
		x := event.Exchange{Request: event.Message{
			Header: []event.Field{{Name: "Content-Type", Value: "application/json"}}, Body: data, Size: int64(len(data)),
		}}
		x.Method, x.Host, x.Proto, x.Path = http.MethodPost, m.URLs.Host, "HTTP/1.1", "/v1/models/"+m.FullName+":predict"
		return x, curl(&m, onOneLine(path, data), several), nil
	}
}

// upiExample is a PredictValuesRequest, read from its JSON form, as one gRPC message.
func upiExample(m session.Model, data []byte) (event.Exchange, error) {
	request := &upiv1.PredictValuesRequest{}
	if err := protojson.Unmarshal(data, request); err != nil {
		return event.Exchange{}, fmt.Errorf("%s is no PredictValuesRequest: %w", exampleName, err)
	}
	message, err := proto.Marshal(request)
	if err != nil {
		return event.Exchange{}, err
	}
	body := event.GRPCFrame(message)
	x := event.Exchange{Request: event.Message{
		Header: []event.Field{{Name: "Content-Type", Value: "application/grpc"}, {Name: "Te", Value: "trailers"}}, Body: body, Size: int64(len(body)),
	}}
	x.Method, x.Host, x.Proto, x.Path = http.MethodPost, m.URLs.Host, "HTTP/2.0", "/"+upiMethod
	return x, nil
}
