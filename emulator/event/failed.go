package event

// Failed is the failure card of a model: it does not serve, why, and what to do next.
// The card holds until the next one, or until the model is ready.
type Failed struct {
	What string `json:"what"` // what happened
	Why  string `json:"why"`  // the likely cause, as a sentence
	Next string `json:"next,omitempty"`

	Cause     Cause     `json:"cause"`
	Certainty Certainty `json:"certainty"`
	// Final is set where the model will not come back by itself.
	Final bool `json:"final,omitempty"`

	// What the cause was concluded from, where it is known.
	Pod      string   `json:"pod,omitempty"`
	Exit     *Ending  `json:"exit,omitempty"`       // where its container ended
	Probe    *Probed  `json:"last_probe,omitempty"` // for readiness
	LastLogs []string `json:"last_logs,omitempty"`
	// MemoryPeak and MemoryLimit are in bytes; 0 is not known, or none.
	MemoryPeak  int64 `json:"memory_peak_bytes,omitempty"`
	MemoryLimit int64 `json:"memory_limit_bytes,omitempty"`
}

// Ending is how a container ended, in short; Exited has it all.
type Ending struct {
	Code      int    `json:"code"`
	Signal    string `json:"signal,omitempty"`
	Meaning   string `json:"meaning,omitempty"` // what the code stands for
	OOMKilled bool   `json:"oom_killed,omitempty"`
	Error     string `json:"error,omitempty"` // the Engine's words, where start failed
}

// Certainty tells how sure a cause is.
type Certainty string

// The certainties.
const (
	Certain Certainty = "certain" // it was seen
	Likely  Certainty = "likely"  // what was seen fits
	Guess   Certainty = "guess"   // nothing better is known
)

// Cause names why a model does not serve. The list is closed; what each is recognised
// by stands with the rules (emulator/diagnose).
type Cause string

// The causes of a model's end.
const (
	CauseFault             Cause = "fault"
	CauseOOMKilled         Cause = "oom-killed"
	CauseLiveness          Cause = "liveness"
	CauseArchitecture      Cause = "architecture"
	CauseCommandNotFound   Cause = "command-not-found"
	CauseNotExecutable     Cause = "not-executable"
	CauseReadOnlyArtifact  Cause = "read-only-artifact"
	CauseMissingArtifact   Cause = "missing-artifact-file"
	CauseMissingModule     Cause = "missing-module"
	CauseMissingLibrary    Cause = "missing-library"
	CausePortInUse         Cause = "port-in-use"
	CausePermission        Cause = "permission-denied"
	CauseUnsetVariable     Cause = "unset-variable"
	CauseQuotes            Cause = "quotes-in-args"
	CauseMissingFile       Cause = "missing-file"
	CauseArguments         Cause = "wrong-arguments"
	CauseException         Cause = "exception"
	CauseCrash             Cause = "crash"
	CauseKilled            Cause = "killed"
	CauseExitedZero        Cause = "ended-by-itself"
	CauseExited            Cause = "exited"
	CauseLoopback          Cause = "loopback-only"
	CauseOtherPort         Cause = "other-port"
	CauseNotListening      Cause = "not-listening"
	CauseGRPCForHTTP       Cause = "grpc-for-http"
	CauseHTTPForGRPC       Cause = "http-for-grpc"
	CauseTLS               Cause = "tls"
	CauseHealthPath        Cause = "health-path"
	CauseNoHealthPath      Cause = "no-health-path"
	CauseHealthUnavailable Cause = "health-unavailable"
	CauseHealthRedirects   Cause = "health-redirects"
	CauseHealthRefuses     Cause = "health-refuses"
	CauseHealthErrors      Cause = "health-errors"
	CauseHealthSlow        Cause = "health-slow"
	CauseHealthOther       Cause = "health-other"
	CauseGRPCNotServing    Cause = "grpc-not-serving"
	CauseNotReady          Cause = "not-ready"
)

// The causes of a model that could not even begin.
const (
	CauseNotBuilt   Cause = "not-built"
	CauseNoImage    Cause = "no-image"
	CauseNoArtifact Cause = "no-artifact"
	CauseNotStarted Cause = "not-started"
	CauseDiskFull   Cause = "disk-full"
	CauseUnknown    Cause = "unknown"
)
