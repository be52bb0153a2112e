package docker

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/docker/docker/pkg/jsonmessage"
)

// buildProgress takes the messages of a build one by one.
type buildProgress interface {
	add(m jsonmessage.JSONMessage) error
}

// readBuild reads a build's messages to their end and returns the image's id.
func readBuild(body io.Reader, progress buildProgress) (id string, err error) {
	decoder := json.NewDecoder(body)
	for {
		var m jsonmessage.JSONMessage
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", err
		}
		if m.Error != nil {
			return "", m.Error
		}
		if made := imageID(m); made != "" {
			id = made
		}
		if err := progress.add(m); err != nil {
			return "", err
		}
	}
	if id == "" {
		return "", errors.New("the Engine ended the build without an image")
	}
	return id, nil
}

// imageID reads the message that ends a build: BuildKit's has an id of its own.
func imageID(m jsonmessage.JSONMessage) string {
	if m.Aux == nil || m.ID != "" && m.ID != "moby.image.id" {
		return ""
	}
	var aux struct{ ID string }
	if err := json.Unmarshal(*m.Aux, &aux); err != nil {
		return ""
	}
	return aux.ID
}
