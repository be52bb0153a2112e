package diagnose_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/diagnose"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// given is an HTTP_JSON model in a container.
func given() diagnose.Asked {
	return diagnose.Asked{
		Port: 8080, OtherPort: 9000, Isolated: true,
		Model: "iris", VersionName: "iris-1", FullName: "iris-1-r2", Service: "iris-1-r2-predictor",
		Variables: []string{
			"MERLIN_PREDICTOR_PORT", "MERLIN_MODEL_NAME", "MERLIN_ARTIFACT_LOCATION", "STORAGE_URI", "CARAML_HTTP_PORT", "CARAML_GRPC_PORT",
			"CARAML_MODEL_NAME", "CARAML_MODEL_VERSION", "CARAML_MODEL_FULL_NAME", "CARAML_ARTIFACT_LOCATION", "PORT", "K_SERVICE",
		},
		ArtifactLocation: "/mnt/models", Artifact: []string{"data.csv", "model.properties", "sub/", "sub/iris.json"},
	}
}

type change func(e *diagnose.Evidence)

// died is a death with a code and last lines.
func died(code int, lines ...string) change {
	return func(e *diagnose.Evidence) { e.Exit, e.Logs = &diagnose.Exit{Code: code}, lines }
}

// refusedToStart is one that the Engine could not start.
func refusedToStart(code int, words string) change {
	return func(e *diagnose.Evidence) { e.Exit = &diagnose.Exit{Code: code, Error: words} }
}

func probed(status int, outcome, body string) change {
	return func(e *diagnose.Evidence) {
		e.Probe = event.Probed{Kind: "http", Target: "GET /v1/models/iris-1-r2", Status: status, Outcome: outcome, Body: body}
	}
}

func logged(lines ...string) change { return func(e *diagnose.Evidence) { e.Logs = lines } }

func listens(at ...string) change {
	return func(e *diagnose.Evidence) {
		e.SocketsKnown = true
		for _, a := range at {
			e.Listening = append(e.Listening, netip.MustParseAddrPort(a))
		}
	}
}

func upi(e *diagnose.Evidence) { e.UPI, e.Port, e.OtherPort, e.Probe.Kind = true, 9000, 8080, "grpc" }

func and(changes ...change) change {
	return func(e *diagnose.Evidence) {
		for _, c := range changes {
			c(e)
		}
	}
}

var refused = probed(0, "connection refused", "")

func TestEachCauseIsRecognisedByItsEvidence(t *testing.T) {
	const (
		certain = event.Certain
		likely  = event.Likely
		guess   = event.Guess
	)
	cases := []struct {
		name      string
		evidence  change
		cause     event.Cause
		certainty event.Certainty
		says      string // in why or next
	}{
		{"liveness", func(e *diagnose.Evidence) {
			e.Exit = &diagnose.Exit{Code: 143, Stopped: "liveness probe failed 3 times"}
		}, event.CauseLiveness, certain, "3 times"},
		{"oom", func(e *diagnose.Evidence) {
			e.Exit, e.MemoryLimit = &diagnose.Exit{Code: 137, OOMKilled: true}, 1<<30
		}, event.CauseOOMKilled, certain, "1.00 GiB"},
		{"oom of a child", func(e *diagnose.Evidence) { e.Exit = &diagnose.Exit{Code: 1, OOMKilled: true} }, event.CauseOOMKilled, likely, "killed a process of it"},
		{"oom of the first moments", func(e *diagnose.Evidence) {
			e.Exit, e.MemoryLimit = &diagnose.Exit{Code: 137}, 100<<20
		}, event.CauseOOMKilled, guess, "100 MiB"},
		{"no oom", func(e *diagnose.Evidence) {
			e.Exit, e.MemoryPeak, e.MemoryLimit = &diagnose.Exit{Code: 137}, 50<<20, 100<<20
		}, event.CauseKilled, likely, "tells of no kill for its own limit"},
		{"oom unseen", func(e *diagnose.Evidence) {
			e.Exit, e.MemoryLimit, e.MemoryPeak = &diagnose.Exit{Code: 137}, 100<<20, 99<<20
		}, event.CauseOOMKilled, likely, "99 MiB"},
		{"architecture", and(died(1, "exec /server: exec format error"), func(e *diagnose.Evidence) { e.ImageArchitecture, e.EngineArchitecture = "arm64", "amd64" }), event.CauseArchitecture, certain, "arm64"},
		{"architecture inside", and(died(255, "exec /server: exec format error"), func(e *diagnose.Evidence) { e.ImageArchitecture, e.EngineArchitecture = "amd64", "amd64" }), event.CauseArchitecture, likely, "#!"},
		{"no command", refusedToStart(127, `OCI runtime create failed: exec: "serve": executable file not found in $PATH: unknown`), event.CauseCommandNotFound, certain, "serve"},
		{"no shell", refusedToStart(127, `exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown`), event.CauseCommandNotFound, certain, "no shell"},
		{"a shell's command", died(127, "sh: 1: exec: no-such-program: not found"), event.CauseCommandNotFound, certain, "no-such-program"},
		{"env's command", died(127, "/usr/bin/env: 'python': No such file or directory"), event.CauseCommandNotFound, certain, "command python"},
		{"bash's command", died(127, "/start.sh: line 3: gunicorn: command not found"), event.CauseCommandNotFound, certain, "command gunicorn"},
		{"not executable", refusedToStart(126, `exec: "/start.sh": permission denied: unknown`), event.CauseNotExecutable, certain, "/start.sh"},
		{"read-only, Go", died(1, "open /mnt/models/cache.bin: read-only file system"), event.CauseReadOnlyArtifact, certain, "/mnt/models/cache.bin"},
		{"read-only, Python", died(1, "OSError: [Errno 30] Read-only file system: '/mnt/models/tmp'"), event.CauseReadOnlyArtifact, certain, "/mnt/models/tmp cannot"},
		{"read-only, Node", died(1, "Error: EROFS: read-only file system, open '/mnt/models/x'"), event.CauseReadOnlyArtifact, certain, "/mnt/models/x cannot"},
		{"read-only, while it runs", and(refused, logged("open /mnt/models/x: read-only file system")), event.CauseReadOnlyArtifact, likely, "/tmp"},
		{"port in use", died(1, "listen tcp :8080: bind: address already in use"), event.CausePortInUse, certain, "port 8080"},
		{"port in use, Python", died(1, "OSError: [Errno 98] error while attempting to bind on address ('0.0.0.0', 8080): address already in use"), event.CausePortInUse, certain, "port 8080"},
		{"port in use, while it runs", and(probed(404, "404 Not Found", ""), logged("Error: listen EADDRINUSE: address already in use :::8080")), event.CausePortInUse, likely, "8080"},
		{"library", died(127, "/server: error while loading shared libraries: libgomp.so.1: cannot open shared object file: No such file or directory"), event.CauseMissingLibrary, certain, "libgomp.so.1"},
		{"library, Python", died(1, "OSError: libgomp.so.1: cannot open shared object file: No such file or directory"), event.CauseMissingLibrary, certain, "libgomp.so.1"},
		{"libc", died(1, "/server: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /server)"), event.CauseMissingLibrary, certain, "GLIBC_2.34"},
		{"module", died(1, `  File "/app/main.py", line 1, in <module>`, "ModuleNotFoundError: No module named 'sklearn'"), event.CauseMissingModule, certain, "sklearn"},
		{"import", died(1, "ImportError: cannot import name 'soft_unicode' from 'markupsafe'"), event.CauseMissingModule, certain, "soft_unicode"},
		{"module, Node", died(1, "Error: Cannot find module 'express'"), event.CauseMissingModule, certain, "express"},
		{"class, Java", died(1, "Exception in thread \"main\" java.lang.NoClassDefFoundError: org/acme/Model"), event.CauseMissingModule, certain, "org/acme/Model"},
		{"artifact, Go", died(1, `read the model: open /mnt/models/iris.bin: no such file or directory`), event.CauseMissingArtifact, certain, "which has data.csv, model.properties, sub/"},
		{"artifact, Python", died(1, `FileNotFoundError: [Errno 2] No such file or directory: '/mnt/models/iris.json'`), event.CauseMissingArtifact, certain, "open /mnt/models/sub/iris.json"},
		{"permission", and(died(1, "PermissionError: [Errno 13] Permission denied: '/app/cache'"), func(e *diagnose.Evidence) { e.User = "1000" }), event.CausePermission, certain, "user 1000 may not use /app/cache"},
		{"permission, port", died(1, "listen tcp :80: bind: permission denied"), event.CausePermission, certain, "CARAML_HTTP_PORT"},
		{"permission, artifact", died(1, "open /mnt/models/x: permission denied"), event.CausePermission, certain, "may not write /mnt/models/x"},
		{"variable, near", died(1, `    port = os.environ["HTTP_PORT"]`, "KeyError: 'HTTP_PORT'"), event.CauseUnsetVariable, certain, "read CARAML_HTTP_PORT"},
		{"variable, words", died(1, "CARAML_ARTIFACT_PATH is not set"), event.CauseUnsetVariable, certain, "CARAML_ARTIFACT_LOCATION"},
		{"variable, another", died(1, "environment variable DB_PASSWORD is required"), event.CauseUnsetVariable, certain, "set it in env_vars"},
		{"variable, shell", died(1, "/start.sh: line 2: MODEL_NAME: unbound variable"), event.CauseUnsetVariable, certain, "CARAML_MODEL_NAME"},
		{"quotes", and(died(2, "unexpected argument: 'two"), func(e *diagnose.Evidence) { e.Args = []string{"--name", "'two", "words'"} }), event.CauseQuotes, certain, "'two"},
		{"quotes, unsaid", and(died(1), func(e *diagnose.Evidence) { e.Args = []string{`--name="two`, `words"`} }), event.CauseQuotes, likely, `--name="two`},
		{"quotes, command", and(refusedToStart(127, `exec: "\"/server\"": stat "/server": no such file or directory`), func(e *diagnose.Evidence) { e.Command = []string{`"/server"`} }), event.CauseQuotes, certain, `"/server"`},
		{"file", died(2, "python3: can't open file '/app/serve.py': [Errno 2] No such file or directory"), event.CauseMissingFile, certain, "/app/serve.py is not in the image"},
		{"exception", died(1, "Traceback (most recent call last):", `  File "/app/main.py", line 7, in <module>`, "    load()", "ValueError: bad magic number"), event.CauseException, certain, "ValueError: bad magic number (/app/main.py, line 7)"},
		{"panic", died(2, "panic: runtime error: index out of range [3] with length 3", "", "goroutine 1 [running]:"), event.CauseException, certain, "index out of range"},
		{"arguments", died(2, "flag provided but not defined: -workers", "Usage of /server:"), event.CauseArguments, certain, "-workers"},
		{"crash", died(139, "loading"), event.CauseCrash, certain, "SIGSEGV"},
		{"killed", died(137), event.CauseKilled, likely, "this machine had no memory left"},
		{"terminated", died(143), event.CauseKilled, likely, "SIGTERM"},
		{"background", died(0, "started"), event.CauseExitedZero, certain, "background"},
		{"exited", died(3, "reading", "weights.bin: bad magic number", " "), event.CauseExited, guess, "bad magic number"},
		{"exited silently", died(3), event.CauseExited, guess, "wrote nothing"},

		{"gRPC for HTTP", and(probed(0, "malformed HTTP response", ""), listens("[::]:8080"), func(e *diagnose.Evidence) { e.Speech.HTTP2 = true }), event.CauseGRPCForHTTP, certain, "UPI_V1"},
		{"HTTP for gRPC", and(upi, listens("[::]:9000"), func(e *diagnose.Evidence) { e.Speech.HTTP1 = true }), event.CauseHTTPForGRPC, certain, "HTTP_JSON"},
		{"TLS", and(probed(400, "400 Bad Request", ""), func(e *diagnose.Evidence) { e.Speech.TLS = true }), event.CauseTLS, certain, "TLS"},
		{"loopback", and(refused, listens("127.0.0.1:8080", "[::]:9090")), event.CauseLoopback, certain, "0.0.0.0"},
		{"loopback, IPv6", and(refused, listens("[::1]:8080")), event.CauseLoopback, certain, "[::1]:8080"},
		{"loopback, by its log", and(refused, logged("INFO: Uvicorn running on http://127.0.0.1:8080 (Press CTRL+C to quit)")), event.CauseLoopback, likely, "as its log says"},
		{"other port", and(refused, listens("0.0.0.0:5000")), event.CauseOtherPort, certain, "0.0.0.0:5000, not on port 8080"},
		{"the other's port", and(refused, listens("[::]:9000")), event.CauseOtherPort, certain, "CARAML_GRPC_PORT, which HTTP_JSON"},
		{"the other's port, UPI", and(upi, refused, listens("[::]:8080")), event.CauseOtherPort, certain, "CARAML_HTTP_PORT, which UPI_V1"},
		{"other port, by its log", and(refused, logged(" * Running on http://127.0.0.1:5000")), event.CauseOtherPort, likely, "port 5000"},
		{"other port, behind a proxy", and(probed(0, "connection closed without an answer", ""), logged("Listening on port 3000"), func(e *diagnose.Evidence) { e.Published = true }), event.CauseOtherPort, likely, "port 3000"},
		{"not listening", and(refused, listens()), event.CauseNotListening, likely, "loading"},
		{"not listening, unknown", refused, event.CauseNotListening, guess, "127.0.0.1 only"},
		{"health path", and(probed(404, "404 Not Found", ""), listens("[::]:8080"), func(e *diagnose.Evidence) {
			e.Answers = []diagnose.Answer{{Candidate: diagnose.Candidate{Path: "/", From: ""}, Status: 200}, {Candidate: diagnose.Candidate{Path: "/v1/models/iris", From: "CARAML_MODEL_NAME"}, Status: 200}}
		}), event.CauseHealthPath, certain, "built from CARAML_MODEL_NAME"},
		{"no health path", and(probed(404, "404 Not Found", "nothing here"), func(e *diagnose.Evidence) {
			e.Answers = []diagnose.Answer{{Candidate: diagnose.Candidate{Path: "/"}, Status: 200}}
		}), event.CauseNoHealthPath, likely, "nothing here"},
		{"503", probed(503, "503 Service Unavailable", "loading 40 %"), event.CauseHealthUnavailable, likely, "loading 40 %"},
		{"redirect", probed(307, "307 Temporary Redirect", ""), event.CauseHealthRedirects, certain, "307"},
		{"login", probed(401, "401 Unauthorized", ""), event.CauseHealthRefuses, certain, "login"},
		{"500", probed(500, "500 Internal Server Error", "no weights"), event.CauseHealthErrors, likely, "no weights"},
		{"slow", and(probed(0, "no answer within 5s", ""), listens("[::]:8080")), event.CauseHealthSlow, likely, "no answer within 5s"},
		{"gRPC health", and(upi, func(e *diagnose.Evidence) { e.Probe.Outcome = "NOT_SERVING" }), event.CauseGRPCNotServing, likely, "NOT_SERVING"},
		{"204", probed(204, "204 No Content", ""), event.CauseHealthOther, certain, "204"},
		{"killed by a fault", func(e *diagnose.Evidence) { e.Exit = &diagnose.Exit{Code: 137, Fault: "kill"} }, event.CauseFault, certain, "fault kill"},
		{"a probe failed by a fault", func(e *diagnose.Evidence) { e.Probe.Fault = "probes" }, event.CauseFault, certain, "fault probes"},
		{"what nobody knows", probed(0, "strange", ""), event.CauseNotReady, guess, "strange"},
	}
	seen := map[event.Cause]bool{}
	for _, c := range cases {
		e := diagnose.Evidence{Asked: given()}
		c.evidence(&e)
		got := diagnose.Of(e)
		if got.Cause != c.cause || got.Certainty != c.certainty || !strings.Contains(got.Why+" / "+got.Next, c.says) || got.Why == "" || got.Next == "" {
			t.Errorf("%s: finding is %+v, want %s (%s) with %q", c.name, got, c.cause, c.certainty, c.says)
		}
		seen[got.Cause] = true
	}
	for _, r := range diagnose.Rules() {
		if !seen[r.Cause] {
			t.Errorf("no case is recognised as %s", r.Cause)
		}
	}
}

func TestWhatOnlyLooksLikeACauseIsNotTakenForIt(t *testing.T) {
	cases := map[string]struct {
		evidence change
		not      event.Cause
	}{
		"a KeyError of data":             {died(1, "KeyError: 'SEPAL_LENGTH'"), event.CauseUnsetVariable},
		"a variable that is set":         {died(1, "PORT is required"), event.CauseUnsetVariable},
		"JSON in args":                   {and(died(1), func(e *diagnose.Evidence) { e.Args = []string{`{"a":1}`} }), event.CauseQuotes},
		"another folder of like name":    {died(1, "open /mnt/models2/x: read-only file system"), event.CauseReadOnlyArtifact},
		"an artifact that is there":      {died(1, "data.csv: no such file or directory in /mnt/models/data.csv"), event.CauseMissingArtifact},
		"a process of this host":         {and(refused, logged("serving on 127.0.0.1:8080"), func(e *diagnose.Evidence) { e.Isolated = false }), event.CauseLoopback},
		"loopback and all":               {and(refused, listens("127.0.0.1:8080", "0.0.0.0:8080")), event.CauseLoopback},
		"a metrics port beside its own":  {and(refused, listens("0.0.0.0:8080", "0.0.0.0:9090")), event.CauseOtherPort},
		"both protocols":                 {func(e *diagnose.Evidence) { e.Speech = diagnose.Speech{HTTP1: true, HTTP2: true} }, event.CauseGRPCForHTTP},
		"a traceback that was survived":  {died(0, `  File "a.py", line 1, in x`, "ValueError: x"), event.CauseException},
		"a warning of a model that runs": {and(probed(503, "503", ""), logged("no such file or directory: /etc/x")), event.CauseMissingFile},
	}
	for name, c := range cases {
		e := diagnose.Evidence{Asked: given()}
		c.evidence(&e)
		if got := diagnose.Of(e); got.Cause == c.not {
			t.Errorf("%s: finding is %+v", name, got)
		}
	}
}

func TestNoEvidencePanicsAndEachCauseHasOneRule(t *testing.T) {
	for _, e := range []diagnose.Evidence{{}, {Exit: &diagnose.Exit{}}, {SocketsKnown: true}, {Exit: &diagnose.Exit{Code: 127}}} {
		if got := diagnose.Of(e); got.Cause == "" || got.Cause == event.CauseUnknown {
			t.Errorf("%+v: finding is %+v", e, got)
		}
	}
	seen := map[event.Cause]bool{}
	for _, r := range diagnose.Rules() {
		if seen[r.Cause] || r.Sign == "" {
			t.Errorf("%s stands twice, or has no sign", r.Cause)
		}
		seen[r.Cause] = true
	}
}

func TestLongAndColouredTextIsCutAndPlain(t *testing.T) {
	e := diagnose.Evidence{Asked: given(), Exit: &diagnose.Exit{Code: 3}, Logs: []string{"\x1b[31m" + strings.Repeat("ä", 10_000)}}
	if got := diagnose.Of(e); len(got.Why) > 300 || strings.Contains(got.Why, "\x1b") || !strings.HasPrefix(got.Why, "ä") {
		t.Errorf("it says %q", got.Why)
	}
}

func TestCandidatesAreFewAndNotTheReadinessPath(t *testing.T) {
	a := given()
	got := a.Candidates("/v1/models/iris-1-r2")
	var paths []string
	for _, c := range got {
		paths = append(paths, c.Path)
	}
	if len(paths) > 10 || slices.Contains(paths, "/v1/models/iris-1-r2") || paths[0] != "/v1/models/iris" {
		t.Errorf("candidates are %q", paths)
	}
	a.Service, a.FullName, a.VersionName = "", "iris-1", "iris-1"
	for _, c := range a.Candidates("/health") {
		if c.Path == "/health" || c.Path == "/v1/models/" {
			t.Errorf("%+v is a candidate", c)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add(1, "open /mnt/models", "a 'b", "404")
	f.Add(127, `exec: "`, `"`, "")
	f.Fuzz(func(_ *testing.T, code int, line, word, outcome string) {
		e := diagnose.Evidence{Asked: given(), Exit: &diagnose.Exit{Code: code, Error: line}, Logs: []string{line}}
		e.Command = []string{word}
		diagnose.Of(e)
		e.Exit, e.Probe = nil, event.Probed{Outcome: outcome}
		diagnose.Of(e)
	})
}
