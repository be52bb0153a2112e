package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	must(t, err)
	c := jsonschema.NewCompiler()
	must(t, c.AddResource("merlin-local.json", doc))
	s, err := c.Compile("merlin-local.json")
	must(t, err)
	return s
}

// validate asks the schema what it says of a file, read as an editor reads it.
func validate(t *testing.T, s *jsonschema.Schema, content string) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(content))
	must(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	must(t, err)
	return s.Validate(value)
}

func TestTheSchemaAndTheLoaderAgree(t *testing.T) {
	s := compiled(t)
	for _, part := range []struct {
		file             string
		loader, inSchema bool
	}{
		{"accepted.yaml", true, true},
		{"refused.yaml", false, false},
		{"beyond-schema.yaml", false, true}, // what only the disk or another key can tell
	} {
		src, err := os.ReadFile(filepath.Join("testdata", part.file))
		must(t, err)
		for content := range strings.SplitSeq(string(src), "---\n") {
			_, err := loadText(t, content)
			if (err == nil) != part.loader {
				t.Errorf("%s: the loader says %v of\n%s", part.file, err, content)
			}
			err = validate(t, s, content)
			if (err == nil) != part.inSchema {
				t.Errorf("%s: the schema says %v of\n%s", part.file, err, content)
			}
		}
	}
}

func TestTheSchemaAcceptsAFileOfAllKeys(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("testdata", "full.yaml"))
	must(t, err)
	if err := validate(t, compiled(t), string(src)); err != nil {
		t.Error(err)
	}
}

func TestTheSchemaIsAsReviewed(t *testing.T) {
	golden(t, "schema.golden.json", string(Schema()))
}
