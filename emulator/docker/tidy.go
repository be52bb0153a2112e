package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// tidyLimit bounds a look at the build cache: an Engine measures what is new in it then.
const tidyLimit = time.Minute

// Tidy removes from the build cache what builds of this session left there, but for those
// of each model's last two revisions, and for what an image still has as a layer. What
// is not known for certain to be this session's is left. It is for when nobody waits.
func (r *Runtime) Tidy(ctx context.Context, report func(event.Fact)) {
	r.past.tidying.Lock()
	defer r.past.tidying.Unlock()
	ctx, cancel := context.WithTimeout(ctx, tidyLimit)
	defer cancel()
	err := r.tidy(ctx)
	if err != nil && ctx.Err() == nil && !r.past.told {
		r.past.told = true
		report(event.Notice{
			Level: event.NoticeWarning,
			Text:  "what older revisions left in the build cache is not removed: " + err.Error() + "; docker builder prune removes it",
		})
	}
}

func (r *Runtime) tidy(ctx context.Context) error {
	l := r.past.ledger
	if l == nil {
		l = r.recall()
		r.past.ledger = l
	}
	ended, running := r.past.take()
	l.Builds = append(l.Builds, ended...)
	if len(l.Builds) == 0 {
		return nil
	}
	images, err := r.imagesOfSession(ctx)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, i := range images {
		there[i.ID] = true
	}
	cache, err := r.openBuildCache()
	if err != nil {
		return err
	}
	defer cache.close()
	records, err := cache.records(ctx)
	if err != nil {
		return err
	}
	l.attribute(records, running)
	l.forget(records, there)
	return errors.Join(cache.remove(ctx, l.superseded(records, there)), r.remember(l))
}

// memory is the file that has the ledger of this session on this Engine; empty for none.
func (r *Runtime) memory() string {
	if r.options.Builds == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(r.engine.id))
	return filepath.Join(r.options.Builds, r.options.Session+"-"+hex.EncodeToString(sum[:4])+".json")
}

// ForgetBuilds removes from a folder of Options.Builds what no session has used since a
// moment. What those builds left in a build cache stays there.
func ForgetBuilds(folder string, since time.Time) (err error) {
	files, _ := filepath.Glob(filepath.Join(folder, "*.json*")) // the pattern is fine
	for _, file := range files {
		info, failed := os.Lstat(file)
		if failed == nil && info.Mode().IsRegular() && info.ModTime().Before(since) {
			failed = os.Remove(file)
		}
		if !errors.Is(failed, fs.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// recall reads what an earlier run knew. Without it, what that left in the cache stays.
func (r *Runtime) recall() *ledger {
	l := &ledger{}
	content, err := os.ReadFile(r.memory())
	if err != nil || json.Unmarshal(content, l) != nil {
		return &ledger{}
	}
	return l
}

func (r *Runtime) remember(l *ledger) error {
	file := r.memory()
	if file == "" {
		return nil
	}
	content, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.options.Builds, 0o700); err != nil {
		return err
	}
	// One who is killed meanwhile leaves the old one.
	if err := os.WriteFile(file+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
