package event

import (
	"reflect"
	"sync"
	"time"
)

// Phase is where a model is in its life. Its supervisor is the only authority.
type Phase string

// The phases, in the order a healthy model passes them.
const (
	PhasePending  Phase = "pending"  // declared, nothing done yet
	PhaseBuilding Phase = "building" // a host command or the image is being built
	PhasePulling  Phase = "pulling"  // the image is fetched from its registry
	PhaseStaging  Phase = "staging"  // model_dir is copied to where it is mounted from
	PhaseStarting Phase = "starting" // the container is created and started
	PhaseWaiting  Phase = "waiting"  // it runs; readiness is not reached yet
	PhaseReady    Phase = "ready"    // it serves
	PhaseBackOff  Phase = "backoff"  // it exited; waits to be started again, as in CrashLoopBackOff
	PhaseIdle     Phase = "idle"     // scaled to zero: the next request starts it
	PhaseFailed   Phase = "failed"   // it will not serve without a change
	PhaseStopping Phase = "stopping" // drained, then terminated
	PhaseStopped  Phase = "stopped"  // gone
)

// Format is the version of the lines that this package writes. It changes when a reader
// of the version before would misread them; a new kind or a new field is no such change.
const Format = 1

// Session opens a session: what runs where. It is the first line of a recording.
type Session struct {
	Format  int    `json:"format,omitempty"` // of the lines that follow; 0 is before there were versions
	ID      string `json:"id"`
	Version string `json:"version"`
	Dir     string `json:"dir"`
	PID     int    `json:"pid"`
	Runtime string `json:"runtime"` // "docker" or "process"
	Engine  string `json:"engine,omitempty"`
}

// Listening says on which address the one port answers, as "127.0.0.1:8080", and on
// which its metrics are, at /metrics.
type Listening struct {
	Address string `json:"address"`
	Metrics string `json:"metrics,omitempty"`
}

// Declared introduces a model: who it would be in production.
type Declared struct {
	Project      string `json:"project"`
	Name         string `json:"name"`
	Version      string `json:"version"`
	Redeployment int    `json:"redeployment"` // Merlin's revision
	FullName     string `json:"full_name"`
	Protocol     string `json:"protocol"`
	Image        string `json:"image,omitempty"`
	Host         string `json:"host"` // the version endpoint's host
}

// PhaseChanged says that a model entered a phase, and why where it is not plain.
type PhaseChanged struct {
	Phase Phase  `json:"phase"`
	Why   string `json:"why,omitempty"`
}

// Stage is the long work that a Step belongs to.
type Stage string

// The stages.
const (
	StageRun      Stage = "run"      // build.run, a host command
	StageBuild    Stage = "build"    // the image
	StagePull     Stage = "pull"     // the image from a registry
	StageArtifact Stage = "artifact" // model_dir
)

// StepState tells how far a Step is.
type StepState string

// The states of a Step.
const (
	StepStarted  StepState = "started"
	StepProgress StepState = "progress"
	StepDone     StepState = "done"
	StepCached   StepState = "cached"
	StepFailed   StepState = "failed"
)

// Step reports one step of a stage: a Dockerfile instruction, a layer.
type Step struct {
	Stage  Stage         `json:"stage"`
	ID     string        `json:"id"` // the same for all reports of one step
	Name   string        `json:"name"`
	State  StepState     `json:"state"`
	Detail string        `json:"detail,omitempty"` // progress or error, for people
	Took   time.Duration `json:"took_ns,omitempty"`
}

// LogSource tells who wrote a line.
type LogSource string

// The sources of a Log.
const (
	LogModel LogSource = "model" // the container or process
	LogBuild LogSource = "build" // build.run and the image build
)

// Log is one line that a model or a build wrote, without its line end. Text is as
// written but for invalid UTF-8; whoever shows it escapes it.
type Log struct {
	Source  LogSource `json:"source"`
	Replica string    `json:"replica,omitempty"` // short container id or pid
	Stderr  bool      `json:"stderr,omitempty"`
	Text    string    `json:"text"`
}

// Built says that build.run and the image build ended well.
type Built struct {
	Image string        `json:"image"` // image id
	Took  time.Duration `json:"took_ns"`
}

// Served is one request that the port answered.
type Served struct {
	// ID counts the requests of a session from 1, in the order in which they ended. It is
	// also its Exchange's.
	ID         uint64 `json:"id,omitempty"`
	Method     string `json:"method"`
	Host       string `json:"host"`
	Path       string `json:"path"` // without the query, which may hold secrets
	Proto      string `json:"proto"`
	Status     int    `json:"status"`                // HTTP
	GRPCStatus *int   `json:"grpc_status,omitempty"` // where the answer carried one
	Replica    string `json:"replica,omitempty"`     // address of the container that answered
	// Held is how long it waited for a replica, and Queued how long for its turn there; 0
	// where it did not have to wait.
	Held   time.Duration `json:"held_ns,omitempty"`
	Queued time.Duration `json:"queued_ns,omitempty"`
	// Sent is from its arrival until it was given to a connection of the replica, and
	// FirstByte until the header of the replica's answer came; 0 where that never was.
	Sent      time.Duration `json:"sent_ns,omitempty"`
	FirstByte time.Duration `json:"first_byte_ns,omitempty"`
	Took      time.Duration `json:"took_ns"` // all of it, from the arrival to the end
	BytesIn   int64         `json:"bytes_in"`
	BytesOut  int64         `json:"bytes_out"`
	Error     string        `json:"error,omitempty"`
	// Fault is what was done to it because a person asked for it, as "latency 200ms" or
	// "kill"; empty where nothing was.
	Fault string `json:"fault,omitempty"`
}

// ServersError tells whether the answer says that the server failed: a status of 500 and
// above, or one of gRPC's that are the server's.
func (s *Served) ServersError() bool {
	return s.Status >= 500 || s.GRPCStatus != nil && GRPCServers(*s.GRPCStatus)
}

// Refused tells whether the answer is an error, whoever's, or there is no whole one.
func (s *Served) Refused() bool {
	return s.Status >= 400 || s.GRPCStatus != nil && *s.GRPCStatus != 0 || s.Error != ""
}

// LeftByClient is the Error of a request whose client did not wait for the answer's end.
const LeftByClient = "client closed request"

// Traffic is how a model's requests do, told once a second while it changes. It
// comes from the port's own counters, so that no number depends on a Served.
type Traffic struct {
	Rate     float64 `json:"rate"`      // requests a second that ended since the last one
	InFlight int     `json:"in_flight"` // on a replica
	Queued   int     `json:"queued"`    // waiting for their turn
	Held     int     `json:"held"`      // waiting for a replica
	// Percentiles are of the last second in which any request ended, Overall of all since
	// the session began.
	Percentiles
	Overall Percentiles `json:"overall"`
	// Requests and Errors are all since the session began. Errors are answers of
	// status 500 and above, those broken off, and gRPC statuses that are the server's.
	Requests uint64 `json:"requests"`
	Errors   uint64 `json:"errors"`
}

// Percentiles are what that share of requests did not exceed, waits included.
type Percentiles struct {
	P50 time.Duration `json:"p50_ns"`
	P95 time.Duration `json:"p95_ns"`
	P99 time.Duration `json:"p99_ns"`
}

// NoticeLevel tells how loud a Notice is.
type NoticeLevel string

// The levels of a Notice.
const (
	NoticeInfo    NoticeLevel = "info"
	NoticeWarning NoticeLevel = "warning"
)

// Notice is something that a person should know, as a sentence.
type Notice struct {
	Level NoticeLevel `json:"level"`
	Text  string      `json:"text"`
}

// Dropped stands where a slow reader lost Count lossy events.
type Dropped struct {
	Count int `json:"count"`
}

// Ended closes a session. Error is empty where it ended as asked.
type Ended struct {
	Error string `json:"error,omitempty"`
}

func (Session) kind() string      { return "session" }
func (Listening) kind() string    { return "listening" }
func (Declared) kind() string     { return "declared" }
func (PhaseChanged) kind() string { return "phase" }
func (Step) kind() string         { return "step" }
func (Log) kind() string          { return "log" }
func (Built) kind() string        { return "built" }
func (Started) kind() string      { return "started" }
func (Deploying) kind() string    { return "deploying" }
func (PodChanged) kind() string   { return "pod" }
func (Probed) kind() string       { return "probed" }
func (Exited) kind() string       { return "exited" }
func (Failed) kind() string       { return "failed" }
func (Served) kind() string       { return "served" }
func (Exchange) kind() string     { return "exchange" }
func (Capture) kind() string      { return "capture" }
func (Traffic) kind() string      { return "traffic" }
func (Parity) kind() string       { return "parity" }
func (Notice) kind() string       { return "notice" }
func (Dropped) kind() string      { return "dropped" }
func (Ended) kind() string        { return "ended" }

// blanks gives a pointer to the zero value of every fact.
func blanks() []any {
	return []any{
		&Session{},
		&Listening{},
		&Declared{},
		&PhaseChanged{},
		&Step{},
		&Log{},
		&Built{},
		&Started{},
		&Deploying{},
		&PodChanged{},
		&Probed{},
		&Exited{},
		&Usage{},
		&OutOfMemory{},
		&Engine{},
		&Slept{},
		&Terminated{},
		&Autoscaler{},
		&Scaled{},
		&ColdStart{},
		&Failed{},
		&Edited{},
		&SinceLastRun{},
		&Reloading{},
		&Serving{},
		&ReloadStuck{},
		&ReloadEnded{},
		&Debugger{},
		&Attached{},
		&Faults{},
		&Served{},
		&Exchange{},
		&Pins{},
		&Capture{},
		&Traffic{},
		&Environment{},
		&Scraped{},
		&Parity{},
		&Notice{},
		&Dropped{},
		&Ended{},
	}
}

// kinds are the types of the facts by their kinds.
var kinds = sync.OnceValue(func() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, b := range blanks() {
		types[value(b).kind()] = reflect.TypeOf(b).Elem()
	}
	return types
})

// blank gives a pointer to the zero value of the fact of that kind, or nil.
func blank(kind string) any {
	if t := kinds()[kind]; t != nil {
		return reflect.New(t).Interface()
	}
	return nil
}

// value turns what blank gave into the fact itself.
func value(pointer any) Fact {
	return reflect.ValueOf(pointer).Elem().Interface().(Fact)
}

// lossy tells the facts that come as fast as traffic and logs do. Only those may
// be dropped for a slow reader; all others are rare and always kept.
func lossy(f Fact) bool {
	switch f := f.(type) {
	case Scaled: // every 2 s under load, and more often where time runs faster
		return f.From == f.Desired
	case Scraped:
		return !f.Gone
	case Log, Step, Served, Exchange, Probed, Usage:
		return true
	}
	return false
}
