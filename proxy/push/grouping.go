package push

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

const base64Suffix = "@base64"

// groupingOf reads job/JOB{/LABEL/VALUE}. With @base64 behind its name a value is in
// base64's form for URLs, padded or not, and one = is an empty value.
// The path is what follows /metrics/, still escaped.
func groupingOf(path string) (map[string]string, error) {
	parts := strings.Split(path, "/")
	if len(parts)%2 != 0 {
		return nil, fmt.Errorf("odd number of components in the labels: /metrics/%s is not job/JOB and then a name and a value for each label", path)
	}
	grouping := map[string]string{}
	for i := 0; i < len(parts); i += 2 {
		name, value, err := label(parts[i], parts[i+1])
		switch _, twice := grouping[name]; {
		case err != nil:
			return nil, err
		case i == 0 && name != "job":
			return nil, fmt.Errorf("the path begins with %s: it is /metrics/job/JOB", name)
		case i > 0 && name == "job", twice:
			return nil, fmt.Errorf("the label %s is there twice", name)
		}
		grouping[name] = value
	}
	if grouping["job"] == "" {
		return nil, errors.New("job name is required")
	}
	return grouping, nil
}

func label(escapedName, escapedValue string) (name, value string, err error) {
	name, err = url.PathUnescape(escapedName)
	if err == nil {
		value, err = url.PathUnescape(escapedValue)
	}
	if err != nil {
		return "", "", err
	}
	if plain, encoded := strings.CutSuffix(name, base64Suffix); encoded {
		name = plain
		data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
		if err != nil {
			return "", "", fmt.Errorf("the label %s is not in base64's form for URLs: %w", name, err)
		}
		value = string(data)
	}
	if !isLabel(name) {
		return "", "", fmt.Errorf("improper label name %q", name)
	}
	if strings.ToValidUTF8(value, "") != value {
		return "", "", fmt.Errorf("the label %s is no UTF-8", name)
	}
	return name, value, nil
}

// isLabel tells a name that a label may have; those with two underscores in front are
// Prometheus' own.
func isLabel(name string) bool {
	if name == "" || strings.HasPrefix(name, "__") {
		return false
	}
	for i, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}
