package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
)

// The sample models are modules of their own, which no embedding reaches: what new
// repos need of them is kept beside this file.
//
//go:generate go test -run TestTheTemplatesAreTheSampleModels . -update-templates
//go:embed templates.txtar
var templateArchive []byte

// template is what a new model repo starts from.
type template struct {
	name   string
	sample string // its folder in sample-models, and the end of its module's path
	model  string // the sample's
	about  string
	before string // a line of what is done before `up`
}

// templates starts with the default.
func templates() []template {
	return []template{
		{name: "http-go", sample: "iris-http-go", model: "iris", about: "HTTP_JSON in Go, on no base image"},
		{name: "upi-go", sample: "eta-upi-go", model: "eta", about: "UPI_V1 in Go: gRPC, health and metrics on one port"},
		{
			name: "http-python", sample: "churn-python", model: "churn", about: "HTTP_JSON in Python: FastAPI, scikit-learn",
			before: "  # its image is built on python:3.12-slim; where no registry answers, ./base-image.sh makes another\n",
		},
	}
}

func templateNames() []string {
	var names []string
	for _, t := range templates() {
		names = append(names, t.name)
	}
	return names
}

func templateNamed(name string) (template, error) {
	i := slices.Index(templateNames(), name)
	if i < 0 {
		return template{}, usageError{fmt.Errorf("--template %s: it is %s", name, strings.Join(templateNames(), ", "))}
	}
	return templates()[i], nil
}

// files are a new repo's, with the model's name for the sample's: in its configuration
// and in its module's path.
func (t template) files(model string) []txtar.File {
	var files []txtar.File
	for _, f := range txtar.Parse(templateArchive).Files {
		name, ours := strings.CutPrefix(f.Name, t.name+"/")
		if !ours {
			continue
		}
		text := strings.ReplaceAll(string(f.Data), t.sample, model)
		if name == "merlin-local.yaml" {
			text = strings.Replace(text, "\nmodel: "+t.model+"\n", "\nmodel: "+model+"\n", 1)
		}
		files = append(files, txtar.File{Name: name, Data: []byte(text)})
	}
	return files
}
