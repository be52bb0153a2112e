package imports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
)

// looked is how much of a file tells its format.
const looked = 64 << 10

// recognise tells the format by how a file begins; an empty one has none.
func recognise(in *bufio.Reader) (Format, error) {
	begin, _ := in.Peek(looked) // what cannot be read is told by who reads it
	if len(begin) == 0 {
		return "", nil
	}
	trimmed := bytes.TrimSpace(begin)
	switch {
	case len(trimmed) == 0:
		return Bodies, nil // blank as far as it was looked at
	case looksDelimited(begin):
		return PredictionLog, nil
	case displayed.Match(trimmed):
		return CloudEvents, nil
	case timestamped.Match(trimmed):
		return AccessLog, nil
	case trimmed[0] == '{' || trimmed[0] == '[':
		return ofJSON(trimmed), nil
	case command.Match(trimmed):
		return Commands, nil
	}
	return "", errors.New("its format is not recognised: name it with `merlin-local import --format`, which is one of " + names())
}

var (
	displayed   = regexp.MustCompile(`(?m)^(☁️? *cloudevents\.Event|Validation: (in)?valid|Context Attributes,)\s*$`)
	timestamped = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\S+ \{.*"httpRequest"`)
	command     = regexp.MustCompile(`(?m)^\s*(\$ +)?(curl|grpcurl)(\s|$)`)
)

// ofJSON tells the format by the names that the first value has.
func ofJSON(begin []byte) Format {
	has := members(begin)
	switch {
	case has["kind"] && (has["fact"] || has["seq"]):
		return Recording
	case has["specversion"]:
		return CloudEvents
	case has["httpRequest"]:
		return AccessLog
	case has["log"] && !has["instances"]:
		return HAR
	case (has["input"] || has["output"]) && (has["modelName"] || has["model_name"] || has["predictionId"] || has["prediction_id"] || has["tableSchemaVersion"] || has["table_schema_version"]):
		return PredictionLog
	case bytes.Contains(begin, []byte(`"httpRequest"`)) && bytes.Contains(begin, []byte(`"requestMethod"`)):
		return AccessLog // behind other lines of the container
	}
	return Bodies
}

// members are the names of the first object, or of the first one of a list, as far as its
// beginning tells.
func members(begin []byte) map[string]bool {
	has := map[string]bool{}
	decoder := json.NewDecoder(bytes.NewReader(begin))
	for {
		token, err := decoder.Token()
		if err != nil || token != json.Delim('[') && token != json.Delim('{') {
			return has
		}
		if token == json.Delim('{') {
			break
		}
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return has
		}
		if text, is := name.(string); is {
			has[text] = true
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return has
		}
	}
	return has
}
