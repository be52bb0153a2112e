package capture

// looksIntoBodies tells whether some rule does.
func (r *rules) looksIntoBodies() bool { return len(r.secrets) > 0 || len(r.json) > 0 }

// longestUnpacked bounds what a compressed body is unpacked to when secrets are looked for.
const longestUnpacked = 16 << 20

// inspect applies the rules that need all of a body. What they cannot look into is not
// kept at all.
func (r *Recording) inspect(s *side) {
	rules := r.rules
	if s.kept.body == 0 || !rules.looksIntoBodies() {
		return
	}
	switch {
	case s.coded && !r.readable(s):
		r.empty(s, cutCoded)
	case len(rules.json) > 0 && !s.grpc:
		r.inspectJSON(s)
	}
}

// readable tells whether a compressed body surely holds nothing that rules would hide.
func (r *Recording) readable(s *side) bool {
	rules := r.rules
	if len(rules.json) > 0 || s.grpc || s.file != nil || s.pending.length > 0 || s.cut != whole {
		return false
	}
	return rules.harmlessGzip(r.inMemory(s))
}

func (r *Recording) inspectJSON(s *side) {
	rules := r.rules
	body := r.inMemory(s)
	hide := rules.hideJSON
	switch {
	case s.events:
		hide = rules.hideEvents
	case !looksLikeJSON(body):
		return
	}
	if s.file != nil || s.pending.length > 0 {
		r.empty(s, cutLargeJSON)
		return
	}
	out, hid, all := hide(body)
	if s.hid = s.hid || hid; hid || !all {
		r.rewrite(s, out)
	}
	if !all && s.cut == whole {
		s.cut = cutNotJSON
	}
}

// inMemory is the body as one text, good until the recording's next.
func (r *Recording) inMemory(s *side) []byte {
	r.scratch = r.store.arena.appendTo(r.scratch[:0], s.chain.first, s.from+s.kept.header, s.from+s.kept.header+s.kept.body)
	return r.scratch
}

// empty keeps nothing of a body.
func (r *Recording) empty(s *side, why cut) {
	r.store.drop(s)
	r.store.arena.cutTo(&s.chain, s.from+s.kept.header)
	s.kept.body, s.cut, s.file = 0, why, nil
}
