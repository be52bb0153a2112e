package diagnose

import (
	"fmt"
	"slices"
)

// Candidate is a path that a model may have its health at instead.
type Candidate struct {
	Path string
	From string // the name that it is built from; empty where it is from none
}

// Candidates are the paths to try where the readiness path gives 404. They are few.
func (a *Asked) Candidates(readiness string) []Candidate {
	const under = "/v1/models/"
	all := []Candidate{
		{under + a.Model, "CARAML_MODEL_NAME"},
		{under + a.VersionName, "CARAML_MODEL_NAME and CARAML_MODEL_VERSION"},
		{under + a.FullName, "CARAML_MODEL_FULL_NAME"},
		{under + a.Service, "K_SERVICE"},
		{under + "model", "the word model"},
		{"/healthz", ""},
		{"/health", ""},
		{"/ready", ""},
		{"/v2/health/ready", ""},
		{"/", ""},
	}
	seen := []string{readiness, under}
	return slices.DeleteFunc(all, func(c Candidate) bool {
		known := slices.Contains(seen, c.Path)
		seen = append(seen, c.Path)
		return known
	})
}

// Bytes is an amount of memory as people read it.
func Bytes(n int64) string {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	switch {
	case n >= gib:
		return fmt.Sprintf("%.2f GiB", float64(n)/gib)
	case n >= mib:
		return fmt.Sprintf("%.0f MiB", float64(n)/mib)
	}
	return fmt.Sprintf("%.0f KiB", float64(n)/kib)
}
