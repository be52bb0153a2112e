package config

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/caraml-dev/merlin-local/emulator"
)

// lost compares the manifests with those that Merlin would make of the models, and
// tells every field that is not the same: so nothing is lost without a word.
func (m manifests) lost(name string, models []emulator.Model) Errors {
	l := &losses{report: report{file: name}}
	for _, o := range m.others {
		l.add(o.at, "kind", "not carried: %s", describe(o.lookup("kind")))
	}
	taken := map[*route]bool{}
	for i, s := range m.services {
		d := models[i].Deployment
		isvc, err := d.InferenceService()
		if err != nil {
			l.add(s.tree.at, "", "Merlin refuses this: %s", err)
			continue
		}
		l.compare(s.tree, written(isvc), nil)
		if r := routeOf(d, m.routes); r != nil {
			l.compare(r.tree, written(d.VirtualService()), nil)
			taken[r] = true
		}
	}
	for i, r := range m.routes {
		if !taken[&m.routes[i]] {
			l.add(r.tree.find("metadata.name").at, "kind", "not carried: no InferenceService here has the VirtualService's host as its version endpoint")
		}
	}
	return l.sorted()
}

// written is a value's tree as Merlin would send it.
func written(value any) *node {
	text, err := json.Marshal(value)
	if err == nil {
		var trees []*node
		if trees, err = jsonTrees(text); err == nil {
			return trees[0]
		}
	}
	panic(err) // texts and numbers of merlin's own types
}

type losses struct{ report }

// steps are the way to a field: a key, or [i].
type steps []string

func (s steps) String() string {
	var out strings.Builder
	for i, step := range s {
		switch {
		case strings.HasPrefix(step, "["):
			out.WriteString(step)
		case regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(step):
			if i > 0 {
				out.WriteByte('.')
			}
			out.WriteString(step)
		default:
			out.WriteString("[" + quoted(step) + "]")
		}
	}
	return out.String()
}

func (s steps) and(step string) steps { return append(slices.Clone(s), step) }

func (l *losses) lose(at place, path steps, format string, args ...any) {
	l.add(at, path.String(), format, args...)
}

func (l *losses) compare(has, makes *node, path steps) {
	switch {
	case has.null && makes.null, has.bad:
	case has.shape != makes.shape:
		l.lose(has.at, path, "not carried: Merlin has %s there", kindOf(makes))
	case has.shape == mapping:
		l.mappings(has, makes, path)
	case has.shape == sequence && named(has) && named(makes):
		l.named(has, makes, path)
	case has.shape == sequence && spaced(has) && cut(path):
		l.lose(has.at, path, "not carried as it is: a word of it has a space, and Merlin cuts at every space")
	case has.shape == sequence:
		l.sequences(has, makes, path)
	case !same(has, makes, path):
		l.lose(has.at, path, "%s", l.otherwise(has, makes, path))
	}
}

// otherwise tells two values apart; those of variables are nobody's business.
func (l *losses) otherwise(has, makes *node, path steps) string {
	if slices.Contains(path, "env") {
		return "not carried: Merlin sets another value"
	}
	return fmt.Sprintf("not carried: Merlin would set %s, not %s", describe(makes), describe(has))
}

func kindOf(n *node) string {
	switch {
	case n.null:
		return "nothing"
	case n.shape == scalar:
		return "a value"
	}
	return describe(n)
}

func (l *losses) mappings(has, makes *node, path steps) {
	for _, f := range has.fields {
		at := path.and(f.key)
		other := makes.lookup(f.key)
		switch {
		case ofTheCluster(at, f.value):
		case other != nil:
			l.compare(f.value, other, at)
		case !blank(f.value) && !localKey(at, f.value):
			l.lose(f.at, at, "not carried: no key of merlin-local.yaml stands for it")
		}
	}
	for _, f := range makes.fields {
		if has.lookup(f.key) == nil && !blank(f.value) && !ofTheCluster(path.and(f.key), f.value) {
			l.lose(has.at, path.and(f.key), "not there, where Merlin would set %s", l.value(f.value, path))
		}
	}
}

func (l *losses) value(n *node, path steps) string {
	if slices.Contains(path, "env") {
		return "a value"
	}
	return describe(n)
}

// localKey tells what Merlin never sets, and a key for the local run does.
func localKey(path steps, value *node) bool {
	n, err := strconv.Atoi(value.text)
	switch path.String() {
	case "spec.predictor.containerConcurrency":
		return err == nil && carriedConcurrency(n)
	case "spec.predictor.timeout":
		return err == nil && carriedTimeout(n)
	}
	return false
}

// ofTheCluster tells what the API server and the controllers write, or fill in where
// nothing is given.
func ofTheCluster(path steps, value *node) bool {
	switch path.String() {
	case "status", "metadata.creationTimestamp", "metadata.uid", "metadata.resourceVersion", "metadata.generation",
		"metadata.managedFields", "metadata.selfLink", "metadata.finalizers",
		`metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]`:
		return true
	}
	defaults := map[string]string{
		"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
		"protocol": "TCP",
	}
	usual, known := defaults[path[len(path)-1]]
	return known && value.text == usual
}

// blank is as if nothing was written.
func blank(n *node) bool {
	return n.null || !n.block() && (n.shape != scalar || n.text == "")
}

// cut tells what Merlin makes of one text.
func cut(path steps) bool {
	last := path[len(path)-1]
	return last == "command" || last == "args"
}

func spaced(list *node) bool {
	return slices.ContainsFunc(list.items, func(n *node) bool { return strings.Contains(n.text, " ") })
}

func (l *losses) sequences(has, makes *node, path steps) {
	for i, item := range has.items {
		at := path.and("[" + strconv.Itoa(i) + "]")
		if i >= len(makes.items) {
			l.lose(item.at, at, "not carried: Merlin has %d elements there", len(makes.items))
			continue
		}
		l.compare(item, makes.items[i], at)
	}
	if missing := len(makes.items) - len(has.items); missing > 0 {
		l.lose(has.at, path, "not carried: Merlin has %d elements more there", missing)
	}
}

// named tells whether all elements are mappings with a name, as variables are.
func named(list *node) bool {
	return len(list.items) > 0 && !slices.ContainsFunc(list.items, func(n *node) bool { return n.get("name") == nil })
}

// named compares elements of one name, the first with the first, and so on, then
// the order of what both have.
func (l *losses) named(has, makes *node, path steps) {
	rest := map[string][]int{}
	for i, m := range makes.items {
		name := m.string("name", "")
		rest[name] = append(rest[name], i)
	}
	last, ordered := -1, true
	for i, item := range has.items {
		at := path.and("[" + strconv.Itoa(i) + "]")
		name := item.string("name", "")
		if len(rest[name]) == 0 {
			l.lose(item.at, at, "not carried: %s", quote(name))
			continue
		}
		place := rest[name][0]
		rest[name] = rest[name][1:]
		ordered, last = ordered && place > last, place
		l.compare(item, makes.items[place], at)
	}
	for _, m := range makes.items {
		if name := m.string("name", ""); len(rest[name]) > 0 {
			rest[name] = rest[name][1:]
			l.lose(has.at, path, "without %s, which Merlin would set", quote(name))
		}
	}
	if !ordered {
		l.lose(has.at, path, "in another order than Merlin's")
	}
}

// same compares values; quantities in whatever unit.
func same(has, makes *node, path steps) bool {
	if has.null != makes.null {
		return blank(has) && blank(makes)
	}
	if slices.Contains(path, "resources") {
		a, err := resource.ParseQuantity(has.text)
		b, err2 := resource.ParseQuantity(makes.text)
		if err == nil && err2 == nil {
			return a.Cmp(b) == 0
		}
	}
	return has.text == makes.text
}
