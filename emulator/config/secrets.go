package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// ResolveSecrets finds every secret's value and puts it into Models: the host's
// variable of its name, as lookup gives it (os.LookupEnv), else the dotenv file's.
// All that are missing are told at once, as Errors, with what to do. No error
// holds a value.
func (f *File) ResolveSecrets(lookup func(string) (string, bool)) error {
	report := &report{file: f.name}
	for i := range f.Models {
		if len(f.Models[i].Deployment.Secrets) > 0 {
			f.Models[i].SecretValues, f.Models[i].SecretOrigins = f.secretValues(i, lookup, report)
		}
	}
	return report.err()
}

// secretValues are the values, and where each was found.
func (f *File) secretValues(model int, lookup func(string) (string, bool), report *report) (values, origins map[string]string) {
	path := f.dotenv(model)
	file, err := readDotenv(path)
	if err != nil {
		report.errors = append(report.errors, f.Mistake(model, "env_file", err.Error()))
	}
	values, origins = map[string]string{}, map[string]string{}
	for i, s := range f.Models[model].Deployment.Secrets {
		value, ok := lookup(s.EnvVarName)
		origins[s.EnvVarName] = "this host's environment"
		if !ok {
			value, ok = file[s.EnvVarName]
			origins[s.EnvVarName] = display(f.Dir, path)
		}
		if !ok {
			report.errors = append(report.errors, f.missing(model, i, s, path))
			continue
		}
		values[s.EnvVarName] = value
	}
	return values, origins
}

func (f *File) missing(model, secret int, s merlin.Secret, path string) Error {
	return f.Mistake(model, fmt.Sprintf("secrets[%d].env_var_name", secret), fmt.Sprintf(
		"the secret %s has no value here: export %s, or add %s=… to %s, which git should ignore",
		s.MLPSecretName, s.EnvVarName, s.EnvVarName, path))
}

// Dotenvs are the dotenv files that exist and that a model's secrets may come from.
func (f *File) Dotenvs() []string {
	var paths []string
	for i := range f.Models {
		path := f.dotenv(i)
		if len(f.Models[i].Deployment.Secrets) > 0 && !slices.Contains(paths, path) && isFile(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

func (f *File) dotenv(model int) string {
	return absolute(f.Dir, f.trees[model].string("env_file", ".env"))
}

// readDotenv gives nothing for a file that does not exist.
func readDotenv(path string) (map[string]string, error) {
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the dotenv file: %w", err)
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	values, err := godotenv.UnmarshalBytes(src)
	if err != nil {
		// The parser's own message quotes the file, and so a secret.
		return nil, fmt.Errorf("%s:%d: not a line of a dotenv file: wants NAME=value", path, wrongLine(string(src)))
	}
	return values, nil
}

// wrongLine is the line after the last one up to which the file can be read.
func wrongLine(src string) int {
	lines := strings.SplitAfter(src, "\n")
	wrong := 1
	for i := range lines {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:i+1], "")); err == nil {
			wrong = i + 2
		}
	}
	return wrong
}
