package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Draft is a configuration that was made of manifests, and is not written anywhere yet.
type Draft struct {
	Text   []byte
	Models []emulator.Model
	// Lost is what of the manifests the text does not carry, by place; Path is the
	// field's. No value of a variable is in it.
	Lost Errors
}

// FromManifests makes a configuration of the InferenceServices in src: YAML or JSON as
// kubectl prints them, with the VirtualServices that route to them where they are
// there. The name is src's, for errors; these are Errors with the place in src.
func FromManifests(name string, src []byte) (*Draft, error) {
	report := &report{file: name}
	m := readManifests(src, report)
	if err := report.err(); err != nil {
		return nil, err
	}
	var models []emulator.Model
	for _, s := range m.services {
		models = append(models, s.model(m.routes))
	}
	text := modelsText(models)
	file := &File{Path: FileName, Dir: ".", name: FileName}
	if err := file.load(text, Options{}); err != nil {
		return nil, m.inManifests(name, err)
	}
	draft := &Draft{Models: file.Models, Lost: m.lost(name, file.Models)}
	draft.Text = append(headText(name, draft.Lost), text...)
	return draft, nil
}

// model is what Merlin was asked for, with what others set that only a local run reads.
func (s service) model(routes []route) emulator.Model {
	d := merlin.Deployed(s.InferenceService, "")
	d.Platform.Domain = s.domain(d, routes)
	m := emulator.Model{Deployment: d}
	if n := s.Spec.Predictor.ContainerConcurrency; n != nil && carriedConcurrency(*n) {
		m.ContainerConcurrency = *n
	}
	if n := s.Spec.Predictor.Timeout; n != nil && carriedTimeout(*n) {
		m.Timeout = time.Duration(*n) * time.Second
	}
	return m
}

// What a cluster may be configured to take goes beyond what the keys do.
func carriedConcurrency(n int) bool { return n >= 0 && n <= 1000 }
func carriedTimeout(n int) bool     { return n >= 1 && n <= 600 }

// domain is what stands behind the version's host, or the revision's in the status.
func (s service) domain(d merlin.Deployment, routes []route) string {
	if r := routeOf(d, routes); r != nil {
		return strings.TrimPrefix(r.Spec.Hosts[0], d.VersionHost(""))
	}
	if at, err := url.Parse(s.tree.find("status.url").text); err == nil {
		domain, ours := strings.CutPrefix(at.Hostname(), d.RevisionHost(""))
		if ours && domainName().accepts(domain) {
			return domain
		}
	}
	return d.Platform.Domain
}

// routeOf is the VirtualService of the version endpoint, of whatever domain.
func routeOf(d merlin.Deployment, routes []route) *route {
	for i, r := range routes {
		if len(r.Spec.Hosts) > 0 && strings.HasPrefix(r.Spec.Hosts[0], d.VersionHost("")) {
			return &routes[i]
		}
	}
	return nil
}

// inManifests tells the mistakes of the text where the manifests have them.
func (m manifests) inManifests(name string, err error) error {
	var mistakes Errors
	if !errors.As(err, &mistakes) {
		return err
	}
	report := &report{file: name}
	for _, e := range mistakes {
		service, key := 0, e.Path
		if _, scanErr := fmt.Sscanf(e.Path, "models[%d]", &service); scanErr == nil {
			_, key, _ = strings.Cut(e.Path, ".")
		}
		if service >= len(m.services) {
			return err
		}
		report.add(m.placeOf(service, key), key, "%s", e.Message)
	}
	return report.err()
}

// placeOf is where a manifest has what a key of the configuration says.
func (m manifests) placeOf(service int, key string) place {
	tree := m.services[service].tree
	first, _, _ := strings.Cut(key, ".")
	first, _, _ = strings.Cut(first, "[")
	container := tree.find("spec.predictor").modelContainer()
	switch first {
	case "project":
		return tree.find("metadata.namespace").at
	case "image", "command", "args":
		return container.find(first).at
	case "env_vars", "secrets", "artifact_uri":
		return container.find("env").at
	case "resource_request":
		return m.placeOfResource(tree, container, key)
	case "team", "stream", "environment", "labels":
		return tree.find("metadata.labels").at
	case "autoscaling_policy", "deployment_mode":
		return tree.find("metadata.annotations").at
	case "platform":
		return m.placeOfPlatform(service, key)
	case "container_concurrency":
		return tree.find("spec.predictor.containerConcurrency").at
	case "timeout":
		return tree.find("spec.predictor.timeout").at
	}
	return tree.find("metadata.name").at
}

func (m manifests) placeOfResource(tree, container *node, key string) place {
	switch strings.TrimPrefix(key, "resource_request.") {
	case "min_replica":
		return tree.find("spec.predictor.minReplicas").at
	case "max_replica":
		return tree.find("spec.predictor.maxReplicas").at
	case "cpu_request":
		return container.find("resources.requests.cpu").at
	case "memory_request":
		return container.find("resources.requests.memory").at
	}
	return container.find("resources.limits.cpu").at
}

func (m manifests) placeOfPlatform(service int, key string) place {
	s := m.services[service]
	switch r := routeOf(merlin.Deployed(s.InferenceService, ""), m.routes); {
	case key == "platform.domain" && r != nil:
		return r.tree.find("spec.hosts").at
	case key == "platform.queue_resource_percentage":
		return s.tree.find("metadata.annotations").at
	}
	return s.tree.find("spec.predictor").modelContainer().find("resources.limits").at
}

// modelContainer is the tree of the container that merlin takes for the model's.
func (predictor *node) modelContainer() *node {
	containers := predictor.elements("containers")
	for _, c := range containers {
		if c.string("name", "") == merlin.ContainerName {
			return c
		}
	}
	if len(containers) == 0 {
		return predictor
	}
	return containers[0]
}
