package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The most that is kept of what comes again and again.
const (
	mostExchanges = 12 // those with a refusal come first
	everyScrape   = 4
	mostBytes     = 150 << 10
)

// The machine that the recordings are of: it is nobody's.
const (
	inventedHome    = "/home/ada"
	inventedVersion = "v1.0.0"
	inventedPID     = 4242
)

// kept is what is kept of the recording.
func (r *run) kept() ([]byte, error) {
	text, err := os.ReadFile(r.file)
	if err != nil {
		return nil, err
	}
	text, err = r.invented(thin(text))
	if err != nil {
		return nil, err
	}
	if len(text) > mostBytes {
		return nil, fmt.Errorf("the recording has %d bytes, above %d", len(text), mostBytes)
	}
	return text, nil
}

// invented has this machine's names and addresses replaced; what is left of them is an
// error.
func (r *run) invented(text []byte) ([]byte, error) {
	var first struct {
		Fact struct {
			Version string
			PID     int
		}
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&first); err != nil {
		return nil, err
	}
	var listening struct {
		Fact struct{ Address, Metrics string }
	}
	line := regexp.MustCompile(`.*"kind":"listening".*`).Find(text)
	if err := json.Unmarshal(line, &listening); err != nil {
		return nil, fmt.Errorf("the listening line: %w", err)
	}
	out := strings.NewReplacer(
		filepath.Dir(r.repo)+"/h", inventedHome+"/.merlin-local",
		filepath.Dir(r.repo), inventedHome,
		fmt.Sprintf(`"version":%q,"dir"`, first.Fact.Version), fmt.Sprintf(`"version":%q,"dir"`, inventedVersion),
		fmt.Sprintf(`"pid":%d,`, first.Fact.PID), fmt.Sprintf(`"pid":%d,`, inventedPID),
		listening.Fact.Address, "127.0.0.1:8080",
		listening.Fact.Metrics, "127.0.0.1:9091",
	).Replace(string(text))
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	self, err := user.Current()
	if err != nil {
		return nil, err
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{host + `"`, self.HomeDir + "/", here, filepath.Base(filepath.Dir(r.repo))} {
		if strings.Contains(out, name) {
			return nil, fmt.Errorf("the recording tells of this machine: %q", name)
		}
	}
	return []byte(out), nil
}

// thin leaves out most exchanges and most scrapes.
func thin(text []byte) []byte {
	lines := slices.Collect(bytes.Lines(text))
	keep := chooseExchanges(lines)
	var out bytes.Buffer
	scrapes := 0
	for i, line := range lines {
		switch kind(line) {
		case "exchange":
			if !keep[i] {
				continue
			}
		case "scraped":
			if scrapes++; scrapes%everyScrape != 1 {
				continue
			}
		}
		out.Write(line)
	}
	return out.Bytes()
}

// chooseExchanges are the lines of the last exchanges, half of them refusals.
func chooseExchanges(lines [][]byte) map[int]bool {
	keep := map[int]bool{}
	refused := 0
	for i := len(lines) - 1; i >= 0; i-- {
		var e struct{ Fact struct{ Status int } }
		if kind(lines[i]) != "exchange" || json.Unmarshal(lines[i], &e) != nil {
			continue
		}
		switch {
		case e.Fact.Status >= 400 && refused < mostExchanges/2:
			refused++
			keep[i] = true
		case e.Fact.Status < 400 && len(keep)-refused < mostExchanges/2:
			keep[i] = true
		}
	}
	return keep
}

func kind(line []byte) string {
	var e struct{ Kind string }
	_ = json.Unmarshal(line, &e)
	return e.Kind
}
