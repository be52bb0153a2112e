package config

import (
	"math"

	"github.com/caraml-dev/merlin-local/emulator"
)

func resourcesSpec() spec {
	return spec{
		form: formKeys,
		doc:  "What one replica asks for. Without it, and with empty CPU and memory, the platform's default holds as a whole.",
		keys: []key{
			{"cpu_request", spec{form: formText, rule: emptyOr(quantity("500m")), least: above(0), def: defaultCPU, doc: "The CPU that a replica is promised."}},
			{"cpu_limit", spec{form: formText, rule: optionalQuantity("2"), least: atLeast(0), doc: "The CPU that a replica gets at most; empty or 0 takes the platform's."}},
			{"memory_request", spec{form: formText, rule: emptyOr(quantity("500Mi")), least: above(0), def: defaultMemory, doc: "The memory that a replica is promised; the limit is the platform's factor times this."}},
			{"min_replica", spec{form: formInteger, least: atLeast(0), most: atMost(math.MaxInt32), def: defaultMinReplica, doc: "Replicas at least; 0 scales to zero here where it is written."}},
			{"max_replica", spec{form: formInteger, least: atLeast(1), most: atMost(math.MaxInt32), def: defaultMaxReplica, doc: "Replicas at most."}},
		},
	}
}

func captureSpec() spec {
	return spec{
		form: formText | formKeys, rule: off(),
		doc: "How requests and answers are kept, to be looked at, searched and sent again; off keeps none.",
		keys: []key{
			{"bytes", spec{form: formText, rule: quantity("256Mi"), def: "256Mi", doc: "The memory of all that is kept, 1Mi or more. Large bodies have four times as much on disk."}},
			{"headers", spec{form: formList, doc: "Headers whose values are hidden, besides Authorization, Proxy-Authorization, Cookie, Set-Cookie and X-Api-Key.", items: &spec{form: formText, rule: headerName(), doc: "The name."}}},
			{"json", spec{form: formList, doc: "Values that are hidden in JSON bodies.", items: &spec{form: formText, rule: jsonPath(), doc: "Where they are: names with dots between, * for any member or element, ** for any number of levels."}}},
		},
	}
}

// compareSpec has numbers and paths as proxy/capture/compare takes them.
func compareSpec() spec {
	const places = "names with dots between, * for any member or element, ** for any number of levels."
	absolute := key{"absolute", spec{form: formNumber, least: atLeast(0), def: 0, doc: "How far two numbers may be apart."}}
	relative := key{"relative", spec{form: formNumber, least: atLeast(0), most: atMost(1), def: 0, doc: "How far two numbers may be apart, as a share of the larger one; one of both suffices."}}
	paths := func(doc string) spec {
		return spec{form: formList, doc: doc, items: &spec{form: formText, rule: jsonPath(), doc: "Where: " + places}}
	}
	return spec{
		form: formKeys,
		doc:  "What counts as a difference between two answers to the same request, for compare and pins.",
		keys: []key{
			absolute, relative,
			{"at", spec{
				form: formList,
				doc:  "Tolerances for some places, in the stead of absolute and relative; the last one that leads to a place counts.",
				items: &spec{form: formKeys, keys: []key{
					{"path", spec{form: formText, required: true, rule: jsonPath(), doc: "Where: " + places}}, absolute, relative,
				}},
			}},
			{"ignore", paths("Places that are not looked at, with all below them.")},
			{"unordered", paths("Arrays whose elements have no order.")},
			{"headers", spec{form: formList, doc: "Headers and trailers that are compared; no others are.", items: &spec{form: formText, rule: headerName(), doc: "The name."}}},
			{"integers", spec{form: formText, options: []string{IntegersApart, IntegersAsFloats}, def: IntegersApart, doc: "Whether 1 and 1.0 are different, as they are for clients with types, or the same number."}},
		},
	}
}

func probeSpec(doc string) spec {
	return spec{
		form: formKeys,
		doc:  doc,
		keys: []key{
			{"kind", spec{form: formText, options: []string{string(emulator.CheckHTTP), string(emulator.CheckTCP), string(emulator.CheckGRPC), string(emulator.CheckNone)}, doc: "What is asked: GET a path, connect, the gRPC health service, or nothing at all."}},
			{"path", spec{form: formText, rule: nonEmpty(), doc: "The path that answers 200; kind is then http."}},
			{"initial_delay", spec{form: formSeconds, least: atLeast(0), most: atMost(3600), doc: "From the container's start to the first attempt."}},
			{"period", spec{form: formSeconds, least: above(0), most: atMost(3600), doc: "From one attempt to the next."}},
			{"timeout", spec{form: formSeconds, least: above(0), most: atMost(3600), doc: "How long an attempt may take."}},
			{"success_threshold", spec{form: formInteger, least: atLeast(1), most: atMost(1000), doc: "How many attempts in a row must succeed after a failure."}},
			{"failure_threshold", spec{form: formInteger, least: atLeast(1), most: atMost(1000), doc: "How many attempts in a row must fail."}},
		},
	}
}

func autoscalingSpec() spec {
	return spec{
		form: formKeys,
		doc:  "By which metric production scales the model.",
		keys: []key{
			{"metrics_type", spec{form: formText, required: true, options: []string{"concurrency", "rps", "cpu_utilization", "memory_utilization"}, doc: "The metric."}},
			{"target_value", spec{form: formNumber, required: true, least: above(0), doc: "The metric's target for one replica."}},
		},
	}
}

func secretsSpec() spec {
	return spec{
		form: formList,
		doc:  "Variables whose values the platform keeps. Locally: the host's variable of that name, else env_file's.",
		items: &spec{form: formKeys, keys: []key{
			{"mlp_secret_name", spec{form: formText, required: true, rule: secretKey(), doc: "The secret's name in MLP."}},
			{"env_var_name", spec{form: formText, required: true, rule: envName(), doc: "The variable that holds the value."}},
		}},
	}
}

func buildSpec() spec {
	return spec{
		form: formKeys,
		doc:  "How the image is made here. Not given, with no image either: the Dockerfile beside this file.",
		keys: []key{
			{"context", spec{form: formText, rule: nonEmpty(), def: ".", doc: "The folder that is sent to the build, relative to this file."}},
			{"dockerfile", spec{form: formText, rule: nonEmpty(), def: dockerfile, doc: "The Dockerfile, relative to the context."}},
			{"args", pairs("name", buildArgName(), spec{form: formText}, "Build arguments (ARG), in order.")},
			{"target", spec{form: formText, doc: "The stage to build; empty is the last."}},
			{"run", spec{form: formText, rule: nonEmpty(), doc: "A shell command on the host before the image is built, in this file's folder."}},
			{"secrets", buildSecretsSpec()},
			{"ssh", spec{form: formList, items: &spec{form: formText, required: true, rule: nonEmpty()}, doc: "For RUN --mount=type=ssh: default, or id=socket or key file."}},
		},
	}
}

func debugSpec() spec {
	return spec{
		form: formKeys,
		doc:  "How up --debug starts the model under a debugger. Not given: delve for Go, debugpy for Python. Without --debug it does nothing.",
		keys: []key{
			{"kind", spec{form: formText, options: []string{string(emulator.Delve), string(emulator.Debugpy), string(emulator.CustomDebugger)}, doc: "The debugger: which command starts it, and what an editor is told. Not given: custom where there is a command, else as the model's own command tells."}},
			{"command", spec{form: formText, rule: nonEmpty(), hint: oneText, doc: "Is put in front of the container's own command; cut at every space. $(DEBUG_PORT) in it is where the debugger has to listen, on all addresses."}},
			{"port", spec{form: formInteger, least: atLeast(1), most: atMost(65535), doc: "Where the debugger listens in the container, and which port of 127.0.0.1 is tried first. Not given: 40000, for debugpy 5678."}},
			{"binary", spec{form: formText, rule: nonEmpty(), doc: "A static dlv for Linux on this host that containers get, relative to this file. Not given: the one in PATH, else the image's."}},
			{"run", spec{form: formText, rule: nonEmpty(), doc: "Replaces build.run, to build with debug information."}},
		},
	}
}

func metricsSpec() spec {
	return spec{
		form: formKeys,
		doc:  "The model's own metrics. Its /metrics is read in any case.",
		keys: []key{
			{"push", spec{form: formText, rule: envName(), doc: "The variable that has the address of a Pushgateway: here, http://HOST:PORT of this session's own endpoint, whatever env_vars says for production."}},
		},
	}
}

func watchSpec() spec {
	pattern := func(doc string) spec {
		return spec{form: formList, items: &spec{form: formText, required: true, rule: nonEmpty()}, doc: doc}
	}
	return spec{
		form: formKeys,
		doc:  "Which edits make a new revision, and how. Not given: as the Dockerfile's ignore file and its last COPY lines tell.",
		keys: []key{
			{"ignore", pattern("Files whose edits do nothing, in the form of a .dockerignore.")},
			{"rebuild", pattern("Files and folders, relative to this file, whose edits always build the image anew.")},
			{"sync", spec{
				form: formList,
				doc:  "Files that are copied into a fresh container instead of building an image; instead of what the Dockerfile tells.",
				items: &spec{form: formKeys, keys: []key{
					{"from", spec{form: formText, required: true, rule: nonEmpty(), doc: "A file, a folder or a pattern such as src/*.py, relative to this file."}},
					{"to", spec{form: formText, required: true, rule: containerPath(), doc: "Where it is in the container; a folder where it ends in a slash, or where from is one."}},
				}},
			}},
		},
	}
}

func buildSecretsSpec() spec {
	return spec{
		form: formList,
		doc:  "For RUN --mount=type=secret: a file's content, or a host variable's value.",
		items: &spec{form: formKeys, keys: []key{
			{"id", spec{form: formText, required: true, rule: nonEmpty(), doc: "The id that the Dockerfile names."}},
			{"src", spec{form: formText, rule: nonEmpty(), doc: "A file, relative to this one."}},
			{"env", spec{form: formText, rule: nonEmpty(), doc: "A variable of the host."}},
		}},
	}
}

func platformSpec() spec {
	return spec{
		form: formKeys,
		doc:  "What the cluster's operators configured. Not given: as Merlin is shipped.",
		keys: []key{
			{"domain", spec{form: formText, rule: domainName(), doc: "The ingress' domain."}},
			{"default_env_vars_without_cpu_limits", pairs("name", envName(), spec{form: formText}, "Variables that a model gets where it has no CPU limit.")},
			{"queue_resource_percentage", spec{form: formText, rule: percentage(), least: atLeast(0.1), most: atMost(100), doc: "The share of the model's resources that queue-proxy gets."}},
			{"user_container_cpu_default_limit", spec{form: formText, rule: quantity("8"), least: above(0), doc: "The CPU limit where neither the user nor the factor sets one."}},
			{"user_container_cpu_limit_request_factor", spec{form: formNumber, least: atLeast(0), doc: "CPU limit = request times this; 0 sets none."}},
			{"user_container_memory_limit_request_factor", spec{form: formNumber, least: atLeast(0), doc: "Memory limit = request times this; 0 sets none."}},
			{"max_cpu", spec{form: formText, rule: optionalQuantity("8"), least: atLeast(0), doc: "The largest CPU request; empty is no limit."}},
			{"max_memory", spec{form: formText, rule: optionalQuantity("8Gi"), least: atLeast(0), doc: "The largest memory request; empty is no limit."}},
			{"max_allowed_replica", spec{form: formInteger, least: atLeast(0), most: atMost(math.MaxInt32), doc: "The largest max_replica; 0 is no limit."}},
			{"scale_to_zero_pod_retention", spec{form: formSeconds, least: atLeast(0), most: atMost(86400), def: 600, doc: "How long the last replica stays before a model with min_replica 0 goes to zero, once nothing was to do for a minute. Knative ships 0."}},
		},
	}
}
