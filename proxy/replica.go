package proxy

import (
	"math/rand/v2"
	"net/netip"
)

// replica is one running container behind a model. It is forgotten once it is
// neither routed nor busy.
type replica struct {
	place
	name  string // the address, as it is dialled and told
	queue *queue
	wires wires

	// guarded by model.mu
	routed   bool
	requests int // running, and waiting in queue
	present  int // those, and those whose end is not yet told
	farewell *farewell
}

// place tells one replica from another: an address can come back with the next
// revision, as another container.
type place struct {
	revision int
	address  netip.AddrPort
}

func newReplica(p place, concurrency int) *replica {
	return &replica{place: p, name: p.address.String(), queue: newQueue(concurrency), wires: newWires(concurrency)}
}

// lightest picks the less busy one of two random replicas, as the activator does
// where concurrency has no limit. There is at least one.
func lightest(replicas []*replica) *replica {
	n := len(replicas)
	if n == 1 {
		return replicas[0]
	}
	i, j := rand.IntN(n), rand.IntN(n-1)
	if j >= i {
		j++
	}
	if replicas[j].requests < replicas[i].requests {
		return replicas[j]
	}
	return replicas[i]
}
