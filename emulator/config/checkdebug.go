package config

import "github.com/caraml-dev/merlin-local/emulator"

// checkDebug tells what of a debugger is not enough to start it, or to reach it.
func (d decoder) checkDebug(n *node, debug emulator.Debug) {
	given := n.get("debug")
	if given == nil {
		return
	}
	switch {
	case debug.Kind == emulator.CustomDebugger && debug.Command == "":
		d.report.add(given.at, d.at("debug"), "a custom debugger needs command, which is put in front of the model's own")
	case debug.NamesPort() && debug.Port == 0:
		d.report.add(given.at, d.at("debug"), "command names the debugger's port itself: say it as port too, or write $(DEBUG_PORT) in the command")
	}
	if binary := given.get("binary"); binary != nil && !isFile(debug.Binary) {
		d.report.add(binary.at, d.at("debug.binary"), "no such file: %s", debug.Binary)
	}
}
