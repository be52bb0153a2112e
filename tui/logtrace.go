package tui

import "strings"

// tracer tells which lines of one stream of a container belong to the line before: those
// of a Python traceback, of a Go panic or goroutine dump, of a stack below a zap line.
// It looks at every line once.
type tracer struct {
	state traceState
	// error tells that the line before is alone and matters: a traceback may follow it; zap
	// that it is of zap's console besides.
	error, zap bool
}

type traceState uint8

const (
	noTrace      traceState = iota
	pythonFrames            // after "Traceback (most recent call last):"
	pythonEnd               // after the exception's own line
	pythonGap               // after a blank line there: another may follow
	pythonChain             // after "During handling of …": another follows
	pythonFault             // in what faulthandler writes
	goHead                  // after "panic: …"
	goFrames                // in a goroutine's frames
	goGap                   // after a blank line there: another goroutine may follow
	zapFrames               // in the stack below a line of zap's console
)

// lineVerdict is what a line is to the one before in its stream.
type lineVerdict uint8

const (
	alone  lineVerdict = iota
	begins             // it begins a trace
	joins              // it goes on with the line before
)

// next judges a line. Its level is what lineLevel says.
func (t *tracer) next(text string, l level) lineVerdict {
	text = strings.TrimRight(text, " \t\r")
	v := t.judge(text)
	t.error = v == alone && l >= warnLevel
	t.zap = t.error && strings.IndexByte(text, '\t') > 0
	return v
}

func (t *tracer) judge(text string) lineVerdict {
	if next, is := t.goesOn(text); is {
		t.state = next
		return joins
	}
	t.state = noTrace
	switch {
	case strings.HasSuffix(text, pythonHead):
		t.state = pythonFrames
	case strings.HasPrefix(text, "Fatal Python error: "):
		t.state = pythonFault
	case strings.HasPrefix(text, "panic: "), strings.HasPrefix(text, "fatal error: "),
		strings.Contains(text, "http: panic serving "), signalled(text):
		t.state = goHead
	case goroutine(text):
		t.state = goFrames
	default:
		return alone
	}
	if t.error { // "ERROR: Exception in ASGI application"
		return joins
	}
	return begins
}

const pythonHead = "Traceback (most recent call last):"

// goesOn tells whether the line belongs to the trace that is open, and its state then.
func (t *tracer) goesOn(text string) (next traceState, is bool) {
	indented := text != "" && (text[0] == ' ' || text[0] == '\t')
	switch t.state {
	case noTrace:
		if t.zap && frameName(text) {
			return zapFrames, true
		}
	case pythonFrames:
		switch {
		case indented:
			return pythonFrames, true
		case exceptionLine(text):
			return pythonEnd, true
		}
	case pythonEnd:
		if text == "" {
			return pythonGap, true
		}
		return pythonEnd, indented // of an exception's text that has several lines
	case pythonGap:
		if strings.HasPrefix(text, "During handling of the above exception") || strings.HasPrefix(text, "The above exception was the direct cause") {
			return pythonChain, true
		}
	case pythonChain:
		if strings.HasSuffix(text, pythonHead) {
			return pythonFrames, true
		}
		return pythonChain, text == ""
	case pythonFault:
		return pythonFault, text == "" || indented || strings.HasPrefix(text, "Thread 0x") || strings.HasPrefix(text, "Current thread 0x") ||
			strings.HasPrefix(text, "Extension modules:") || strings.HasPrefix(text, "Python runtime state:")
	case goHead, goFrames, goGap:
		return t.goGoesOn(text)
	case zapFrames:
		return zapFrames, frameName(text) || strings.HasPrefix(text, "\t")
	}
	return noTrace, false
}

// goGoesOn is goesOn in what Go's runtime writes.
func (t *tracer) goGoesOn(text string) (traceState, bool) {
	switch {
	case goroutine(text), text == "runtime stack:":
		return goFrames, true
	case text == "":
		if t.state == goFrames {
			return goGap, true
		}
		return t.state, true
	case register(text):
		return goGap, true
	case t.state == goHead && (strings.HasPrefix(text, "[signal ") || strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "PC=") || strings.HasPrefix(text, "goroutine ")):
		return goHead, true
	case t.state == goFrames:
		return goFrames, text[0] == '\t' || frameCall(text) || strings.HasPrefix(text, "created by ") || strings.HasPrefix(text, "...") || strings.HasPrefix(text, "[originating from ")
	}
	return noTrace, false
}

// signalled tells what the runtime writes where a signal ends the program.
func signalled(text string) bool {
	switch text {
	case "SIGQUIT: quit", "SIGABRT: abort", "SIGSEGV: segmentation violation", "SIGBUS: bus error", "SIGILL: illegal instruction", "SIGFPE: floating-point exception":
		return true
	}
	return false
}

// goroutine tells "goroutine 1 [running]:".
func goroutine(text string) bool {
	rest, is := strings.CutPrefix(text, "goroutine ")
	return is && strings.HasSuffix(text, "]:") && rest[0] >= '0' && rest[0] <= '9'
}

// register tells "rax    0x0", as the runtime writes after a signal.
func register(text string) bool {
	name, rest := cutField(text)
	value, rest := cutField(rest)
	return len(name) <= 6 && strings.HasPrefix(value, "0x") && rest == "" && name != "" && name[0] >= 'a' && name[0] <= 'z'
}

// frameCall tells a function with its arguments: "main.(*server).serve(0xc000, {0x1, 0x2})".
func frameCall(text string) bool {
	open := strings.IndexByte(text, '(')
	if strings.HasPrefix(text, "panic({") && text[len(text)-1] == ')' {
		return true
	}
	return open > 0 && text[len(text)-1] == ')' && !strings.ContainsAny(text[:open], " \t\"") && strings.ContainsRune(text[:open], '.')
}

// frameName tells a function without them, as zap writes a stack: "net/http.(*conn).serve".
func frameName(text string) bool {
	dot := strings.IndexByte(text, '.')
	if dot <= 0 || dot == len(text)-1 || strings.ContainsAny(text, " \t\"'=:{},;?!") {
		return false
	}
	c := text[0]
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

// exceptionLine tells the last line of a traceback: "ValueError: text", "KeyboardInterrupt".
func exceptionLine(text string) bool {
	name, _, told := strings.Cut(text, ":")
	if name == "" || upper(name) && levelWord(name) != noLevel {
		return false
	}
	if last := name[strings.LastIndexByte(name, '.')+1:]; !told && (last == "" || last[0] < 'A' || last[0] > 'Z') {
		return false // without a text only a class has the look of one
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '.') {
			return false
		}
	}
	return true
}
