package emulator

// debugger tells what a debugger changes.
func (p *parity) debugger() {
	if !p.Debug.On {
		return
	}
	p.lacks("debugger", "the model runs under a debugger, which is PID 1 where there is a container and takes memory and time of the model's limits (--debug)")
	p.lacks("debugger", "one replica, whatever the minimum and the maximum: a breakpoint holds it")
	p.lacks("debugger", "while one is attached no timeout passes, failed probes do not count, and edits wait until it detaches")
	if p.Containers && p.Debug.Kind != Debugpy {
		p.lacks("debugger", "the container has the capability SYS_PTRACE, but not for debugpy; a pod has not")
	}
}
