package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// maxManifests bounds what manifests are read from; kubectl's own fields make them large.
const maxManifests = 1 << 20

// manifests are the objects of Kubernetes that a source holds, as far as they matter here.
type manifests struct {
	services []service
	routes   []route
	others   []*node
}

// service is an InferenceService with what is written of it.
type service struct {
	tree *node
	merlin.InferenceService
}

// route is a VirtualService with what is written of it.
type route struct {
	tree *node
	merlin.VirtualService
}

// readManifests reads what kubectl prints: YAML documents or JSON, single objects or
// a List of them.
func readManifests(src []byte, report *report) manifests {
	var m manifests
	trees := manifestTrees(src, report)
	if !report.empty() {
		return m
	}
	for _, object := range unwrapped(trees) {
		m.add(object, report)
	}
	if len(m.services) == 0 && report.empty() {
		report.add(start(), "", "no InferenceService is in it: give what `kubectl get inferenceservice NAME -o yaml` prints")
	}
	return m
}

func manifestTrees(src []byte, report *report) []*node {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if len(src) > maxManifests {
		report.add(start(), "", "larger than %d KiB: give fewer objects", maxManifests>>10)
		return nil
	}
	if at, wrong := notUTF8(src); wrong {
		report.add(at, "", "not text in UTF-8")
		return nil
	}
	if first := bytes.TrimLeft(src, " \t\r\n"); len(first) > 0 && (first[0] == '{' || first[0] == '[') {
		trees, err := jsonTrees(src)
		var wrong jsonError
		if errors.As(err, &wrong) {
			report.add(wrong.at, "", "not JSON: %s", wrong.Error())
		}
		return trees
	}
	if len(src) > maxSize {
		report.add(start(), "", "larger than %d KiB, which is much for YAML's parser: give fewer objects, or JSON (kubectl's -o json)", maxSize>>10)
		return nil
	}
	if at, deep := tooDeep(src); deep {
		report.add(at, "", "nested deeper than %d", maxDepth)
		return nil
	}
	trees, _ := documents(src, report)
	return trees
}

func notUTF8(src []byte) (place, bool) {
	at := start()
	for len(src) > 0 {
		letter, size := utf8.DecodeRune(src)
		if letter == utf8.RuneError && size == 1 {
			return at, true
		}
		at.column++
		if letter == '\n' {
			at.line, at.column = at.line+1, 1
		}
		src = src[size:]
	}
	return at, false
}

// tooDeep looks before the parser does, whose time grows with the square of nesting.
// It also counts brackets in texts, which are not left open so many times.
func tooDeep(src []byte) (place, bool) {
	depth := 0
	for number, line := range strings.Split(string(src), "\n") {
		dashes := 0
		for i, letter := range line {
			switch letter {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			case '-', '?':
				dashes++
			case ' ':
			default:
				dashes = -len(line)
			}
			if depth > maxDepth || dashes > maxDepth {
				return place{line: number + 1, column: utf8.RuneCountInString(line[:i]) + 1}, true
			}
		}
	}
	return place{}, false
}

// unwrapped takes objects out of lists of all kinds: JSON's own, and Kubernetes'.
func unwrapped(trees []*node) []*node {
	var objects []*node
	for _, tree := range trees {
		switch items := tree.get("items"); {
		case tree.null:
		case tree.shape == sequence:
			objects = append(objects, tree.items...)
		case items != nil && items.shape == sequence && strings.HasSuffix(tree.string("kind", ""), "List"):
			objects = append(objects, items.items...)
		default:
			objects = append(objects, tree)
		}
	}
	return objects
}

func (m *manifests) add(object *node, report *report) {
	if object.shape != mapping || object.string("kind", "") == "" {
		report.add(object.at, "", "wants an object of Kubernetes with apiVersion and kind, not %s", describe(object))
		return
	}
	version := object.string("apiVersion", "")
	switch kind := object.string("kind", ""); {
	case kind == "InferenceService" && version == merlin.APIVersionOfInferenceServices:
		s := service{tree: object}
		if decodeManifest(object, &s.InferenceService, report) && s.isCustomModel(report) {
			m.services = append(m.services, s)
		}
	case kind == "InferenceService":
		report.add(object.find("apiVersion").at, "apiVersion", "%s is not known: wants %s", quote(version), merlin.APIVersionOfInferenceServices)
	case kind == "VirtualService" && strings.HasPrefix(version, "networking.istio.io/"):
		r := route{tree: object}
		if decodeManifest(object, &r.VirtualService, report) {
			m.routes = append(m.routes, r)
		}
	default:
		m.others = append(m.others, object)
	}
}

// isCustomModel tells what keeps an InferenceService from being a model that Merlin
// could have been asked for.
func (s service) isCustomModel(report *report) bool {
	predictor := s.tree.find("spec.predictor")
	if len(s.Spec.Predictor.Containers) == 0 {
		report.add(predictor.at, "spec.predictor", "no custom model: the predictor has no containers%s", otherKinds(predictor))
		return false
	}
	if container := predictor.modelContainer(); s.ModelContainer().Image == "" {
		report.add(container.at, "spec.predictor.containers", "the model's container has no image")
		return false
	}
	if merlin.Deployed(s.InferenceService, "").Model == "" {
		report.add(s.tree.find("metadata.name").at, "metadata.name", "%s is no model of Merlin's: wants {model}-{version}, such as iris-1", quote(s.Metadata.Name))
		return false
	}
	return true
}

// otherKinds says what a predictor without containers has.
func otherKinds(predictor *node) string {
	var has []string
	for _, f := range predictor.fields {
		if f.value.shape == mapping {
			has = append(has, f.key)
		}
	}
	if len(has) == 0 {
		return ""
	}
	return ", but " + quote(strings.Join(has, ", "))
}
