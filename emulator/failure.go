package emulator

import "fmt"

// Failure is why a model does not serve, for people: what happened, why, and what
// to do next.
type Failure struct{ Model, What, Why, Next string }

func (f *Failure) Error() string {
	text := f.Model + ": " + f.What
	if f.Why != "" {
		text += ": " + f.Why
	}
	return text
}

// describe tells the exit code in words.
func (e Exit) describe() string {
	text := fmt.Sprintf("exited with code %d", e.Code)
	switch signal := e.signal(); {

	case e.OOMKilled:
		return text + " (OOMKilled)"
	case signal != "":
		return text + " (" + signal + ")"
	}
	return text
}

// signal names the signal that a code over 128 stands for, where it is a usual one.
func (e Exit) signal() string {
	return map[int]string{
		129: "SIGHUP", 130: "SIGINT", 131: "SIGQUIT", 132: "SIGILL", 134: "SIGABRT",
		135: "SIGBUS", 136: "SIGFPE", 137: "SIGKILL", 139: "SIGSEGV", 143: "SIGTERM",
	}[e.Code]
}

// advice is one next step that fits the exit code.
func (e Exit) advice() string {
	switch {
	case e.OOMKilled:
		return "it went over its memory limit: load less, or raise resource_request.memory_request"
	case e.Code == 0:
		return "a model must keep serving: its command ended by itself"
	case e.Code == 126:
		return "its command is not executable: check command, the image's ENTRYPOINT and the file's mode"
	case e.Code == 127:
		return "its command was not found in the image: check command and the image's ENTRYPOINT"
	default:
		return "mend what its log says, then up again"
	}
}
