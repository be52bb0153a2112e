package emulator

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// replica is one running container and the copying of its output.
type replica struct {
	*supervisor
	container Container
	started   event.Started
	exit      *Exit // once it is known
	expected  bool  // we ended it

	last     *tail
	stopLogs context.CancelFunc
	logs     sync.WaitGroup
}

// start asks the runtime for a replica with production's environment.
func (s *supervisor) start(ctx context.Context) (Container, error) {
	d := s.model.Deployment
	place, err := s.Runtime.Place(ctx, PlaceSpec{Model: s.model, Artifact: s.artifact})
	if err != nil {
		return nil, err
	}
	resources, err := d.Resources()
	if err != nil {
		return nil, err
	}
	env := merlin.Resolve(d.Variables(place), s.model.SecretValues)
	spec := ContainerSpec{
		Model: s.model, Revision: s.revision, Image: s.image,
		Env:      merlin.Assignments(env),
		Command:  merlin.ExpandWords(merlin.Words(d.Command), env),
		Args:     merlin.ExpandWords(merlin.Words(d.Args), env),
		Port:     place.ServingPort(d.Protocol),
		Hostname: d.PodName(podSuffix()),
		Artifact: s.artifact,
	}
	if cpu := resources.Limits.CPU; cpu != nil {
		spec.CPUMillis, spec.CPULimit = cpu.MilliValue(), cpu.String()
	}
	if memory := resources.Limits.Memory; memory != nil {
		spec.MemoryBytes, spec.MemoryLimit = memory.Value(), memory.String()
	}
	return s.Runtime.Start(ctx, spec)
}

// podSuffix is what a Deployment's pod name ends in: the ReplicaSet's hash and five
// letters of the pod's own, from the alphabet that Kubernetes uses.
func podSuffix() string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	random := make([]byte, 14)
	_, _ = rand.Read(random) // never fails
	for i, b := range random {
		random[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(random[:9]) + "-" + string(random[9:])
}

func newReplica(s *supervisor, container Container) *replica {
	r := &replica{supervisor: s, container: container, started: container.Started(), last: &tail{}}
	s.publish(r.started)
	ctx, cancel := context.WithCancel(context.Background())
	r.stopLogs = cancel
	r.logs.Go(func() { r.copyLogs(ctx) })
	return r
}

func (r *replica) copyLogs(ctx context.Context) {
	out := r.lines(event.Log{Source: event.LogModel, Replica: r.started.Replica})
	errs := r.lines(event.Log{Source: event.LogModel, Replica: r.started.Replica, Stderr: true})
	out.last, errs.last = r.last, r.last
	err := r.container.Logs(ctx, out, errs)
	out.flush()
	errs.flush()
	if err != nil && ctx.Err() == nil {
		r.warn(errors.New("the logs of " + r.id + " ended early: " + err.Error()))
	}
}

// logSlack is how long the output of a dead replica may take to arrive.
const logSlack = 2 * time.Second

// died tells how a replica ended.
type died struct {
	Exit
	lastLogs []string
}

// buried waits for the end of a replica and of its output, and reports it.
func (r *replica) buried(ctx context.Context) died {
	if r.exit == nil {
		select {
		case exit := <-r.container.Exited():
			r.exit = &exit
		case <-ctx.Done():
			return died{} // the forced way out: close kills it
		}
	}
	r.awaitLogs()
	d := died{Exit: *r.exit, lastLogs: r.last.lines()}
	r.publish(event.Exited{
		Replica: r.started.Replica, Code: d.Code, Signal: d.signal(), OOMKilled: d.OOMKilled,
		Error: d.Error, Expected: r.expected, LastLogs: d.lastLogs,
	})
	return d
}

func (r *replica) awaitLogs() {
	done := make(chan struct{})
	go func() { r.logs.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(logSlack):
	}
}

// close removes what is left of the replica and waits for the copying to end.
func (r *replica) close() {
	ctx, cancel := context.WithTimeout(context.Background(), removeLimit)
	defer cancel()
	if err := r.container.Remove(ctx); err != nil {
		r.warn(errors.New("remove " + r.id + ": " + err.Error() + "; the next up or down tries again"))
	}
	r.stopLogs()
	r.logs.Wait()
}

// removeLimit bounds the removal, so that an Engine that hangs cannot keep us.
const removeLimit = 15 * time.Second
