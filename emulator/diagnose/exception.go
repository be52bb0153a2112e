package diagnose

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	pythonFrame     = regexp.MustCompile(`^\s+File "([^"]+)", line (\d+)`)
	pythonException = regexp.MustCompile(`^[A-Za-z_][\w.]*(?:: .*)?$`)
	otherException  = regexp.MustCompile(`^(?:panic: .*|fatal error: .*|thread '.*' panicked at .*|Exception in thread .*|Caused by: .*|(?:Uncaught )?\w*Error: .*|terminate called after .*)$`)
)

// exception is the last one that was written before the end.
func exception(e *Evidence) (Finding, bool) {
	if e.Exit.Code == 0 {
		return no()
	}
	if last, at := pythonTrace(e.Logs); last != "" {
		return certain(clip(last)+at, "mend what raises it; its log has the whole traceback")
	}
	if m, ok := find(e.Logs, otherException); ok {
		return certain(clip(strings.TrimSpace(m[0])), "mend what raises it; its log has the whole trace")
	}
	return no()
}

// pythonTrace is the last line of the last traceback, and where it was raised. The
// head of a long one may be cut away.
func pythonTrace(lines []string) (last, at string) {
	in, frame := false, ""
	for _, line := range lines {
		if m := pythonFrame.FindStringSubmatch(line); m != nil {
			in, frame = true, fmt.Sprintf(" (%s, line %s)", m[1], m[2])
			continue
		}
		if in && pythonException.MatchString(line) {
			last, at, in = line, frame, false
		}
	}
	return last, at
}
