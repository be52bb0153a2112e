package diagnose

// signals are the usual ones that end a process.
func signals() map[int]struct{ name, meaning string } {
	return map[int]struct{ name, meaning string }{
		129: {"SIGHUP", "its terminal closed"},
		130: {"SIGINT", "interrupted"},
		131: {"SIGQUIT", "asked to end with a dump"},
		132: {"SIGILL", "an instruction that this CPU does not know"},
		134: {"SIGABRT", "it aborted itself"},
		135: {"SIGBUS", "a memory fault in native code"},
		136: {"SIGFPE", "an arithmetic fault in native code"},
		137: {"SIGKILL", "killed"},
		139: {"SIGSEGV", "a memory fault in native code"},
		143: {"SIGTERM", "asked to end"},
	}
}

// Signal names the signal that an exit code over 128 stands for, where it is a usual
// one.
func Signal(code int) string { return signals()[code].name }

// Meaning is what an exit code stands for; empty where it stands for nothing.
func Meaning(code int) string {
	switch code {
	case 0:
		return "no error"
	case 1:
		return "an error of its own"
	case 2:
		return "wrong arguments, or a Go panic"
	case 126:
		return "its command cannot be executed"
	case 127:
		return "its command was not found"
	}
	return signals()[code].meaning
}
