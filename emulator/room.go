package emulator

import "fmt"

// replaces says why the old revision has to stop first; empty where both fit.
func (s *supervisor) replaces(model *Model) string {
	if model.Reload == ReloadReplace {
		return "reload: replace"
	}
	if model.OnHost && model.Debug.On && model.Debug.NamesPort() {
		return "its debugger's port is taken by the old one"
	}
	if n := len(s.staying()) + max(s.wanted, 1); !s.fit(model, n) {
		resources, _ := model.Deployment.Resources()
		return fmt.Sprintf("%d containers with a memory limit of %s do not fit side by side", n, resources.Limits.Memory)
	}
	return ""
}

// fit tells whether so many of the model's containers have room side by side, by their
// memory limit.
func (s *supervisor) fit(model *Model, containers int) bool {
	resources, err := model.Deployment.Resources()
	if err != nil || resources.Limits.Memory == nil || s.Memory == 0 || s.NoLimits {
		return true // as far as is known
	}
	return int64(containers)*resources.Limits.Memory.Value() <= s.Memory
}

// makeRoom lets pods go that wait for their last requests, the oldest first, until so many
// new ones fit beside the others. They have the grace period then, and not as long as any
// request may take: each reload amid open streams leaves one more.
func (s *supervisor) makeRoom(model *Model, replicas int) {
	var waiting []*pod
	for _, p := range s.pods {
		if p.leaves != nil && !p.leaves.final {
			waiting = append(waiting, p)
		}
	}
	for stay := len(s.staying()) + replicas; len(waiting) > 0 && !s.fit(model, stay+len(waiting)); waiting = waiting[1:] {
		s.finish(waiting[0].leaves)
	}
}
