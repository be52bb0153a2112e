package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fill makes a tree of small files.
func fill(tb testing.TB, root string, folders, files int) {
	tb.Helper()
	for i := range folders {
		dir := filepath.Join(root, fmt.Sprintf("p%d", i%25), fmt.Sprintf("d%d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
		for k := range files / folders {
			content := strings.Repeat(fmt.Sprintf("line of %d in %d\n", k, i), 80)
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d.py", k)), []byte(content), 0o644); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func TestALargeTree(t *testing.T) {
	onBoth(t, func(l *lab, _ *Options) { fill(l.t, l.root, 50, 5000) }, func(l *lab) {
		l.first()
		var want []string
		for i := range 50 {
			path := fmt.Sprintf("p%d/d%d/f%d.py", i%25, i, i)
			l.append(path, "more")
			want = append(want, "modified "+path)
		}
		l.expect(want...)
		l.removeAll("p7")
		l.pass()
		sets := l.taken()
		if len(sets) != 1 || len(sets[0].Changes) != 200 {
			l.t.Errorf("reported %v", sets)
		}
	})
}
