package docker

import "sync"

// roster finds the running session's containers by their id. It is safe for
// concurrent use.
type roster struct {
	mu   sync.Mutex
	byID map[string]*replica
}

func (k *roster) add(c *replica) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID = map[string]*replica{}
	}
	k.byID[c.id] = c
}

func (k *roster) remove(c *replica) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.byID, c.id)
}

// find returns nil where there is none.
func (k *roster) find(id string) *replica {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.byID[id]
}
