package proxy

// Load is what a model's requests do at one instant.
type Load struct {
	Held    int // no replica is routed
	Waiting int // for their turn on a replica
	Running int // on a replica
}

// Load tells what the model's requests do now; nothing for an unknown model.
func (s *Server) Load(model string) Load {
	m := s.models[model]
	if m == nil {
		return Load{}
	}
	return m.load()
}

func (m *model) load() Load {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := Load{Held: int(m.held.Load())}
	if line := m.line.Len(); len(m.routed) == 0 {
		l.Held += line
	} else {
		l.Waiting += line
	}
	for _, r := range m.replicas {
		waiting := r.queue.length()
		l.Waiting += waiting
		l.Running += r.requests - waiting
	}
	return l
}
