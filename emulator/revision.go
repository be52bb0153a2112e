package emulator

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// revision is what containers of a model are made of. It does not change once it is
// prepared, so that pods use it from goroutines of their own.
type revision struct {
	*supervisor
	number   int // local revisions are counted from 1
	model    *Model
	mask     mask
	podHash  string // of its ReplicaSet
	image    Image
	artifact string // the staged folder
	staged   *staged
	files    changed // what is copied over the image's own
	copies   []Copy  // what the image's Dockerfile tells of its own files
	sources  string  // identifies what it was made from

	announced bool // the supervisor's

	environments environments // what its pods were given
}

func newRevision(s *supervisor, number int, model *Model) *revision {
	return &revision{supervisor: s, number: number, model: model, mask: newMask(model), podHash: letters(9)}
}

func (r *revision) publish(f event.Fact) { r.Events.Publish(r.id, r.number, r.mask.fact(f)) }

// warn reports what went wrong on the way out, where nothing can be done about it.
func (r *revision) warn(err error) {
	if err != nil {
		r.publish(event.Notice{Level: event.NoticeWarning, Text: err.Error()})
	}
}

// prepare makes image and artifact ready, side by side: neither needs the other. It
// calls enter with the phases that the model passes. drop undoes the artifact.
func (r *revision) prepare(ctx context.Context, enter func(event.Phase, string)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		r.image, err = r.makeImage(ctx, enter, func(string, time.Duration) {})
		return err
	})
	group.Go(func() error { return r.stage(ctx) })
	return group.Wait()
}

// stage copies the model's artifact to a folder of the revision's own.
func (r *revision) stage(ctx context.Context) error {
	folder, remove, err := r.Stager.Stage(ctx, r.model.ModelDir, r.model.Deployment.Properties())
	if err != nil {
		const what = "cannot have its artifact staged"
		if full := r.fullHere(what, err); full != nil {
			return full
		}
		f := &Failure{Model: r.id, What: what, Why: err.Error(), Next: "check model_dir"}
		return f.because(event.CauseNoArtifact)
	}
	r.artifact, r.staged = folder, newStaged(remove)
	r.staged.files, r.staged.bytes = sizeOf(folder)
	return nil
}

// drop removes what the revision has staged. No pod of it runs any more.
func (r *revision) drop() {
	if r.staged != nil {
		r.warn(r.staged.drop())
		r.staged = nil
	}
}

// staged is a folder that revisions share whose artifact is the same. It is safe for
// concurrent use.
type staged struct {
	users  atomic.Int32
	remove func() error
	files  int // that are in it
	bytes  int64
}

func newStaged(remove func() error) *staged {
	s := &staged{remove: remove}
	s.users.Store(1)
	return s
}

func (s *staged) share() *staged {
	s.users.Add(1)
	return s
}

// drop removes the folder with its last user.
func (s *staged) drop() error {
	if s.users.Add(-1) > 0 {
		return nil
	}
	return s.remove()
}
