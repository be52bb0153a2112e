package config

import (
	"slices"
	"strconv"
)

// modelTrees makes one tree a model: the session's shared keys, then the model's
// own, then the flags.
func modelTrees(root, flags *node, report *report) []*node {
	if root.bad {
		return nil
	}
	models := root.lookup("models")
	if models == nil {
		return []*node{withFlags(root, flags)}
	}
	shared := &node{shape: mapping, fields: slices.DeleteFunc(slices.Clone(root.fields), func(f field) bool {
		return f.key == "models" || f.key == "port" || f.key == "capture"
	})}
	if len(models.items) > 1 {
		checkFlags(flags, len(models.items), report)
	}
	var trees []*node
	for _, own := range models.items {
		tree := withFlags(overlay(shared, own), flags)
		tree.at, tree.bad = own.at, own.bad
		trees = append(trees, tree)
	}
	return trees
}

// checkFlags refuses the flags that cannot be meant for several models.
func checkFlags(flags *node, models int, report *report) {
	for _, f := range flags.fields {
		if !slices.Contains([]string{"project", "port", "env_vars", "fidelity"}, f.key) {
			report.add(f.at, "", "which of the %d models is meant? Set %s in the file", models, f.key)
		}
	}
}

// withFlags lays flags over a model. An image asked for by flag is run as it is.
func withFlags(model, flags *node) *node {
	n := overlay(model, flags)
	if flags.gives("image") {
		n.fields = slices.DeleteFunc(n.fields, func(f field) bool { return f.key == "build" || f.key == "exec" })
	}
	return n
}

// overlay gives a mapping with the fields of both; top's win, in base's place.
func overlay(base, top *node) *node {
	merged := &node{shape: mapping, at: base.at, fields: slices.Clone(base.fields)}
	for _, f := range top.fields {
		if f.value.null {
			continue
		}
		if below := base.get(f.key); below != nil {
			f.value = combine(f.key, below, f.value)
		}
		merged.put(f)
	}
	return merged
}

// combine merges what is merged field by field; all else replaces.
func combine(key string, below, top *node) *node {
	switch key {
	case "platform":
		return overlay(below, top)
	case "labels":
		return overlayPairs(below, top, "key")
	case "env_vars":
		return overlayPairs(below, top, "name")
	}
	return top
}

// overlayPairs replaces the last pair of a name, since a container sees the last.
func overlayPairs(below, top *node, name string) *node {
	merged := &node{shape: mapping, at: below.at, fields: below.pairs(name)}
	for _, p := range top.pairs(name) {
		place := -1
		for i, have := range merged.fields {
			if have.key == p.key {
				place = i
			}
		}
		if place < 0 {
			merged.fields = append(merged.fields, p)
			continue
		}
		merged.fields[place] = p
	}
	return merged
}

// modelPath is where the i-th model stands in a file with several.
func modelPath(i int) string { return "models[" + strconv.Itoa(i) + "]" }
