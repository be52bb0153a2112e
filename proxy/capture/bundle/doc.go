// Package bundle is the archive that carries a problem from one machine to another: what
// ran, with which configuration, what it was asked, what it answered, and what it should
// have.
//
// It is a gzipped tar of plain files, so that anybody can look inside. The first member is
// the manifest, which names all others with their sizes and checksums; a reader takes
// exactly these and nothing else, so that an archive made by somebody else can neither
// write outside the folder that it is unpacked in, nor fill a disk, nor follow a link.
//
// Create and Open do nothing concurrently and hold no lock; a Bundle does not change.
package bundle

import (
	"encoding/json"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Format is the version of the archives that this package writes. It changes when a reader
// of the version before would misread them.
const Format = 1

// The members besides the manifest. What is below ArtifactDir is the artifact.
const (
	ManifestName  = "bundle.json"
	Configuration = "merlin-local.yaml" // of the one model
	Requests      = "requests.jsonl"    // as they were answered, a recording
	Expected      = "expected.jsonl"    // as they should have been, a recording; where that is known
	Events        = "events.jsonl"      // the session's: its log, its life
	Image         = "image.tar"         // as the Engine saves it
	ArtifactDir   = "artifact/"
)

// Manifest says what is in a bundle.
type Manifest struct {
	Format   int       `json:"format"`
	Made     time.Time `json:"made"` // in UTC
	Note     string    `json:"note,omitempty"`
	Versions Versions  `json:"versions"`
	Model    Model     `json:"model"`
	Image    Ran       `json:"image"`
	// Environment is what the container was given; the values of secrets are not in it.
	Environment *event.Environment `json:"environment,omitempty"`
	// Secrets are the names of the variables that need a value where it is run.
	Secrets []string `json:"secrets,omitempty"`
	// Artifact are the files that the model read, in the archive or not.
	Artifact []File `json:"artifact,omitempty"`
	// Failure is why it did not serve; nil where it did.
	Failure *event.Failed `json:"failure,omitempty"`
	// Asked is how many requests there are, and Known of how many it is known what should
	// have come.
	Asked int `json:"asked"`
	Known int `json:"known"`
	// Rules are those that answers are compared by.
	Rules json.RawMessage `json:"rules,omitempty"`
	// Members are the other files of the archive, in their order.
	Members []File `json:"members"`
}

// Versions are what it ran on.
type Versions struct {
	MerlinLocal string `json:"merlin_local"`
	Runtime     string `json:"runtime"` // "docker" or "process"
	Engine      string `json:"engine,omitempty"`
	OS          string `json:"os"`
	Arch        string `json:"arch"`
}

// Model is which model it was.
type Model struct {
	ID       string `json:"id"`
	FullName string `json:"full_name"`
	Protocol string `json:"protocol"`
	Revision int    `json:"revision"` // the local one
	Sources  string `json:"sources,omitempty"`
}

// Ran is the image that ran.
type Ran struct {
	Reference    string `json:"reference,omitempty"` // as the configuration or the build calls it
	ID           string `json:"id"`                  // sha256:…
	Digest       string `json:"digest,omitempty"`    // NAME@sha256:…, where a registry has it
	Architecture string `json:"architecture,omitempty"`
}

// File is one file: its path with slashes, its size in bytes and its SHA-256 in hex.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Has tells whether a member is in the archive.
func (m *Manifest) Has(name string) bool {
	for _, f := range m.Members {
		if f.Path == name {
			return true
		}
	}
	return false
}

// HasArtifact tells whether the artifact's files are in the archive.
func (m *Manifest) HasArtifact() bool {
	return len(m.Artifact) > 0 && m.Has(ArtifactDir+m.Artifact[0].Path)
}
