package session

import "slices"

// Clone returns a state that goes its own way: what is applied to one is not seen in the
// other. What no event changes once it is there is shared.
func (s *State) Clone() *State {
	c := *s
	c.Models = make([]*Model, len(s.Models))
	for i, m := range s.Models {
		c.Models[i] = m.clone()
	}
	if s.History != nil {
		c.History = s.History.clone()
	}
	return &c
}

func (m *Model) clone() *Model {
	c := *m
	c.Pods = make([]*Pod, len(m.Pods))
	for i, p := range m.Pods {
		c.Pods[i] = copied(p)
	}
	c.Reloads = slices.Clone(m.Reloads)
	for i, r := range c.Reloads {
		c.Reloads[i] = copied(r)
	}
	c.Scale, c.Stale, c.Debugger = copied(m.Scale), copied(m.Stale), copied(m.Debugger)
	c.Metrics, c.FaultsSeen = slices.Clone(m.Metrics), slices.Clone(m.FaultsSeen)
	return &c
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func (h *History) clone() *History {
	c := &History{
		Requests: h.Requests.clone(), Logs: h.Logs.clone(), Happenings: h.Happenings.clone(),
		Dropped: h.Dropped, Tracks: h.Tracks.clone(), models: make(map[string]*Past, len(h.models)),
	}
	for id, p := range h.models {
		past := &Past{Seconds: p.Seconds.clone(), Probes: p.Probes.clone(), Builds: slices.Clone(p.Builds)}
		for i, b := range past.Builds {
			past.Builds[i] = &Build{Revision: b.Revision, Began: b.Began, Steps: slices.Clone(b.Steps)}
		}
		c.models[id] = past
	}
	return c
}

// Bytes is about how much memory the history takes.
func (h *History) Bytes() int {
	bytes := h.Requests.Bytes() + h.Logs.Bytes() + h.Happenings.Bytes() + h.Tracks.Bytes()
	for _, p := range h.models {
		bytes += p.Seconds.Bytes() + p.Probes.Bytes()
	}
	return bytes
}
