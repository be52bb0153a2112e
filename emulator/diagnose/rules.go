package diagnose

import "github.com/caraml-dev/merlin-local/emulator/event"

// Rules are all rules, in the order in which they are tried.
func Rules() []Rule {
	return []Rule{
		{event.CauseFault, "a fault that was asked for killed it, or fails its probes", ended | waiting, fault},
		{event.CauseLiveness, "it was ended because its liveness probe failed", ended, liveness},
		{event.CauseOOMKilled, "the kernel killed it for its memory limit; SIGKILL with a peak at the limit, or before a first sample", ended, oomKilled},
		{event.CauseArchitecture, "`exec format error`; the image's architecture beside the Engine's", ended, architecture},
		{event.CauseCommandNotFound, "exit code 127; a shell that the image lacks is named", ended, commandNotFound},
		{event.CauseNotExecutable, "exit code 126", ended, notExecutable},
		{event.CauseGRPCForHTTP, "`HTTP_JSON`, and its port answers HTTP/2 but not HTTP/1.1", waiting, grpcForHTTP},
		{event.CauseHTTPForGRPC, "`UPI_V1`, and its port answers HTTP/1.1 but not HTTP/2", waiting, httpForGRPC},
		{event.CauseTLS, "its port answers with TLS", waiting, tls},
		{event.CausePortInUse, "`address already in use` in its log: two servers in one container", ended | waiting, portInUse},
		{event.CauseReadOnlyArtifact, "`Read-only file system` in its log, with a path under the artifact folder", ended | waiting, readOnlyArtifact},
		{event.CauseMissingLibrary, "a shared library, or a libc version, that the loader did not find", ended | waiting, missingLibrary},
		{event.CauseMissingModule, "`ModuleNotFoundError`, `ImportError`, `Cannot find module`, `ClassNotFoundException`", ended | waiting, missingModule},
		{event.CauseMissingArtifact, "a path under the artifact folder that is not there; what is there is listed", ended | waiting, missingArtifact},
		{event.CausePermission, "`permission denied` in its log; the image's user is named", ended | waiting, permission},
		{event.CauseUnsetVariable, "a variable that it asks for and that is not set; the nearest that is", ended | waiting, unsetVariable},
		{event.CauseQuotes, "words of `command` or `args` that hold quotes, which nobody takes away", ended, quotes},
		{event.CauseMissingFile, "another path that is not there", ended, missingFile},
		{event.CauseException, "the last exception or panic in its log", ended, exception},
		{event.CauseArguments, "exit code 2 or 64 and words of a usage", ended, wrongArguments},
		{event.CauseCrash, "SIGSEGV, SIGABRT, SIGBUS, SIGILL or SIGFPE", ended, crash},
		{event.CauseKilled, "another signal, from outside", ended, killed},
		{event.CauseExitedZero, "exit code 0: a server that put itself in the background", ended, endedByItself},
		{event.CauseExited, "any other exit code", ended, exited},
		{event.CauseOtherPort, "its sockets, else its log: it listens, but not on the serving port", waiting, otherPort},
		{event.CauseLoopback, "its sockets, else its log: it listens on 127.0.0.1 only", waiting, loopback},
		{event.CauseNotListening, "its sockets, else a refused connection: it does not listen, perhaps not yet", waiting, notListening},
		{event.CauseHealthPath, "the readiness path gives 404, and another one 200: those of other names, `/healthz`, …", waiting, healthPath},
		{event.CauseNoHealthPath, "the readiness path gives 404, and no path that was tried 200", waiting, noHealthPath},
		{event.CauseHealthUnavailable, "readiness gives 503", waiting, healthUnavailable},
		{event.CauseHealthRedirects, "readiness gives 3xx", waiting, healthRedirects},
		{event.CauseHealthRefuses, "readiness gives 401 or 403", waiting, healthRefuses},
		{event.CauseHealthErrors, "readiness gives another 5xx", waiting, healthErrors},
		{event.CauseHealthSlow, "readiness does not answer in time", waiting, healthSlow},
		{event.CauseGRPCNotServing, "gRPC health says something else than SERVING", waiting, grpcNotServing},
		{event.CauseHealthOther, "readiness gives any other status than 200", waiting, healthOther},
		{event.CauseNotReady, "nothing better is known", waiting, notReady},
	}
}
