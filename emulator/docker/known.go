package docker

import (
	"maps"
	"slices"
	"sync"
)

// roster finds the running session's containers by their id. It is safe for
// concurrent use.
type roster struct {
	mu      sync.Mutex
	byID    map[string]*replica
	givenUp map[string]*replica // could not be removed
}

func (k *roster) add(c *replica) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID, k.givenUp = map[string]*replica{}, map[string]*replica{}
	}
	k.byID[c.id] = c
}

// remove forgets a container that is gone, and remembers one that is not.
func (k *roster) remove(c *replica, gone bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.byID, c.id)
	delete(k.givenUp, c.id)
	if !gone {
		k.givenUp[c.id] = c
	}
}

// left are the containers that could not be removed.
func (k *roster) left() []*replica {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Values(k.givenUp))
}

// of are the containers of a model.
func (k *roster) of(model string) (all []*replica) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.byID {
		if c.model == model {
			all = append(all, c)
		}
	}
	return all
}

// find returns nil where there is none.
func (k *roster) find(id string) *replica {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.byID[id]
}
