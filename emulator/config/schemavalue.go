package config

// schema describes a value; a null is the same as no value, where one may be absent.
func (s *spec) schema(nullable bool) object {
	var o object
	add := func(name string, value any) { o = append(o, member{name, value}) }
	if s.doc != "" {
		add("description", s.doc)
	}
	if len(s.options) > 0 {
		add("enum", s.enum(nullable))
	} else {
		add("type", oneOrMany(s.types(nullable)))
	}
	if s.def != nil {
		add("default", s.def)
	}
	o = append(o, s.text()...)
	o = append(o, s.limitsSchema()...)
	o = append(o, s.mappingSchema()...)
	return append(o, s.listSchema()...)
}

func (s *spec) enum(nullable bool) []any {
	var all []any
	for _, option := range s.options {
		all = append(all, option)
	}
	if nullable {
		all = append(all, nil)
	}
	return all
}

func (s *spec) types(nullable bool) []string {
	var types []string
	if s.form&formText != 0 {
		types = append(types, s.rule.types()...)
	}
	names := []struct {
		form form
		name string
	}{
		{formInteger | formSeconds, "integer"},
		{formSeconds, "string"},
		{formNumber, "number"},
		{formKeys | formTable, "object"},
		{formList, "array"},
	}
	for _, n := range names {
		if s.form&n.form != 0 {
			types = append(types, n.name)
		}
	}
	if nullable {
		types = append(types, "null")
	}
	return types
}

func oneOrMany(types []string) any {
	if len(types) == 1 {
		return types[0]
	}
	return types
}

// types are the JSON types of which a text that keeps the rule may be: unquoted,
// 1.10 and true are no strings for a schema, but texts for this package. Samples
// tell which kinds the rule has room for.
func (r *rule) types() []string {
	types := []string{"string"}
	switch {
	case r.accepts("1.5"):
		types = append(types, "number")
	case r.accepts("15"):
		types = append(types, "integer")
	}
	if r.accepts("true") && r.accepts("false") {
		types = append(types, "boolean")
	}
	return types
}

func (s *spec) text() object {
	var o object
	switch {
	case s.rule != nil:
		o = append(o, member{"pattern", s.rule.pattern})
		if s.rule.longest > 0 {
			o = append(o, member{"maxLength", s.rule.longest})
		}
	case s.form&formSeconds != 0:
		o = append(o, member{"pattern", secondsPattern})
	}
	return o
}

// limitsSchema also bounds numbers where they stand for texts: a pattern holds for
// strings alone.
func (s *spec) limitsSchema() object {
	var o object
	numbers := s.rule.accepts("1")
	switch {
	case s.least != nil && s.least.exclusive:
		o = append(o, member{"exclusiveMinimum", s.least.value})
	case s.least != nil:
		o = append(o, member{"minimum", s.least.value})
	case numbers && !s.rule.accepts("0"):
		o = append(o, member{"exclusiveMinimum", 0})
	case numbers && !s.rule.accepts("-1"):
		o = append(o, member{"minimum", 0})
	}
	if s.most != nil {
		o = append(o, member{"maximum", s.most.value})
	}
	return o
}

func (s *spec) mappingSchema() object {
	switch {
	case s.form&formTable != 0:
		return object{{"propertyNames", object{{"pattern", s.names.pattern}}}, {"additionalProperties", s.each.schema(true)}}
	case s.form&formKeys == 0:
		return nil
	}
	properties, required := object{}, []string{}
	for i := range s.keys {
		k := &s.keys[i]
		properties = append(properties, member{k.name, k.spec.schema(!k.spec.required)})
		if k.spec.required {
			required = append(required, k.name)
		}
	}
	o := object{{"properties", properties}, {"additionalProperties", false}}
	if len(required) > 0 {
		o = append(o, member{"required", required})
	}
	return o
}

func (s *spec) listSchema() object {
	if s.form&formList == 0 {
		return nil
	}
	o := object{{"items", s.items.schema(false)}}
	if s.atLeast > 0 {
		o = append(o, member{"minItems", s.atLeast})
	}
	if s.atMost > 0 {
		o = append(o, member{"maxItems", s.atMost})
	}
	return o
}
