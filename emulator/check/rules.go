package check

import "github.com/caraml-dev/merlin-local/emulator/merlin"

// Rules are all rules, in the order in which they are told.
func Rules() []Rule {
	var all []Rule
	for _, some := range [][]Rule{imageRules(), startRules(), contractRules(), requestRules(), endRules()} {
		all = append(all, some...)
	}
	return all
}

func imageRules() []Rule {
	return []Rule{
		{"image-command", ImageGroup, Error, "", "the image has a command, or the configuration gives one", "its ENTRYPOINT and CMD, and `command` and `args`; a command that cannot be started", 0, imageCommand},
		{"image-architecture", ImageGroup, Error, "", "the image is for the CPUs of production's nodes", "its architecture beside `--architecture`", 0, imageArchitecture},
		{"image-secrets", ImageGroup, Error, "", "no secret is in the image's variables", "names such as `DB_PASSWORD`, and values that look like keys; the value is never shown", 0, imageSecrets},
		{"image-user", ImageGroup, Warning, "", "the image does not run as root", "its USER", 0, imageUser},
		{"image-size", ImageGroup, Warning, "", "the image is small enough to be pulled at a cold start", "its size beside `--image-size`", 0, imageSize},
		{"image-tag", ImageGroup, Warning, "", "the image's tag does not move", "no tag, or `latest`", 0, imageTag},
		{"image-healthcheck", ImageGroup, Info, "", "nothing depends on HEALTHCHECK", "the image has one, which Kubernetes ignores", 0, imageHealthcheck},
		{"image-expose", ImageGroup, Info, "", "EXPOSE names the serving port, or nothing", "the image names other ports; production ignores it", 0, imageExpose},
	}
}

func startRules() []Rule {
	return []Rule{
		{"starts", StartGroup, Error, "", "it is ready within the deployment timeout", "it ended before, or was not ready in time", needsMain, starts},
		{"port-from-variable", StartGroup, Error, "", "it takes its port from the variable", "run with another number in `CARAML_HTTP_PORT` (`CARAML_GRPC_PORT`), it does not listen there", needsMain | needsRenamed, portFromVariable},
		{"all-addresses", StartGroup, Error, "", "it listens on all addresses", "its sockets: 127.0.0.1 alone", needsMain, allAddresses},
		{"protocol", StartGroup, Error, "", "it speaks its protocol on the port, without TLS", "what its port answers to HTTP/1.1 and HTTP/2", needsMain, speaks},
		{"artifact-read-only", StartGroup, Error, "", "it does not write into the artifact folder", "the folder is mounted read-only, and it ended by that, or its log complains", needsMain, artifactReadOnly},
		{"any-user", StartGroup, Warning, "", "it runs as a user that is not root", "run as user " + otherUser + " it does not become ready", needsMain | needsOtherUser, anyUser},
		{"health-after-load", StartGroup, Error, "", "it is healthy only once it can predict", "a prediction is asked for right after readiness, and fails where a later one does not", needsMain, healthAfterLoad},
		{"listens-after-load", StartGroup, Warning, "", "it listens only once it can predict", "its port answered before it was ready; the cluster's probe is a TCP connect, so requests come then", needsMain, listensAfterLoad},
	}
}

func contractRules() []Rule {
	return []Rule{
		{"health-endpoint", ContractGroup, Error, merlin.HTTPJSON, "GET /v1/models/{full name} answers 200", "its answer", needsMain | needsContract, healthEndpoint},
		{"full-name", ContractGroup, Error, merlin.HTTPJSON, "the name in its paths is that of `CARAML_MODEL_FULL_NAME`", "health is at another name, or run with another full name it stays at the old one", needsMain | needsRenamed, fullName},
		{"wrong-name", ContractGroup, Warning, merlin.HTTPJSON, "it does not answer for other models", "health or predict of another name gives 200", needsMain | needsContract, wrongName},
		{"predict-endpoint", ContractGroup, Error, "", "it predicts at POST /v1/models/{full name}:predict (UPI_V1: PredictValues)", "404, 405, 501, UNIMPLEMENTED, or no answer", needsMain | needsContract, predictEndpoint},
		{"predicts", ContractGroup, Error, "", "it answers a good request with 200 and JSON (UPI_V1: OK)", "its answer to the repo's request.json", needsMain | needsContract, predicts},
		{"liveness-endpoint", ContractGroup, Error, merlin.HTTPJSON, "GET / answers 200", "its answer", needsMain | needsContract, livenessEndpoint},
		{"liveness-cheap", ContractGroup, Warning, "", "liveness costs nothing and does not call the model", "the median of 20 calls is above 100 ms, or each takes more than 20 ms of CPU time", needsMain | needsIdle, livenessCheap},
		{"metrics", ContractGroup, Error, "", "GET /metrics on the one port gives metrics that Prometheus reads", "the page is asked for and read; info for UPI_V1, which may push", needsMain | needsContract, metrics},
		{"metric-names", ContractGroup, Error, "", "metrics and labels have names that every Prometheus takes", "letters, digits, `_`, and `:` in metrics", needsMain | needsContract, metricNames},
		{"grpc-health", ContractGroup, Warning, merlin.UPIV1, "gRPC health says SERVING for the whole server", "its answer, or that there is no such service", needsMain | needsContract, grpcHealth},
		{"grpc-reflection", ContractGroup, Info, merlin.UPIV1, "gRPC reflection lists the UPI service", "grpcurl and its like need it", needsMain | needsContract, grpcReflection},
	}
}

func requestRules() []Rule {
	return []Rule{
		{"concurrent", RequestGroup, Error, "", "concurrent requests get their own answers", "200 requests from 8 clients, each answer beside that of the same request alone", needsMain | needsLoad, concurrent},
		{"memory", RequestGroup, Error, "", "its memory stays below the limit", "its peak after those requests: above 90 % is a warning, an OOM kill an error", needsMain | needsLoad, memory},
		{malformedBody, RequestGroup, Error, "", "a body that cannot be read is refused (4xx)", "5xx, no answer, or the end of the container; a warning where it is taken for a request", needsMain | needsBad, refuses(malformedBody)},
		{emptyBody, RequestGroup, Error, "", "an empty body is refused (4xx)", "the same", needsMain | needsBad, refuses(emptyBody)},
		{wrongShape, RequestGroup, Error, "", "a body of another shape is refused (4xx)", "the same, with JSON of three odd shapes (`UPI_V1`: a table of other columns)", needsMain | needsBad, refuses(wrongShape)},
		{hugeBody, RequestGroup, Error, "", "a body of 32 MiB is refused (4xx), or answered", "5xx, no answer, or the end of the container; to close the connection is to refuse", needsMain | needsBad, refuses(hugeBody)},
	}
}

func endRules() []Rule {
	return []Rule{
		{"sigterm-exit", EndGroup, Error, "", "it ends by itself at SIGTERM, with exit code 0 or 143", "SIGKILL had to end it after the grace period; a warning for another code", needsMain | needsEnd, sigtermExit},
		{"sigterm-drains", EndGroup, Error, "", "requests that run at SIGTERM are answered", "three whose bodies end after SIGTERM", needsMain | needsEnd, sigtermDrains},
	}
}
