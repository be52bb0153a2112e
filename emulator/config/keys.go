package config

import (
	"math"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// The port and the capture are the session's: they are written at the top alone.
const (
	withPort    = true
	withoutPort = false
)

// rootSpec is the form that a file has: several models under models, or the keys
// of one model.
func rootSpec(root *node) *spec {
	if root.lookup("models") != nil {
		return sessionSpec()
	}
	return modelSpec(withPort)
}

func sessionSpec() *spec {
	models := key{"models", spec{
		form: formList, items: modelSpec(withoutPort), atLeast: 1, atMost: 64, required: true,
		doc: "The models of this session, each with the keys of a single model.",
	}}
	return &spec{form: formKeys, keys: append(append(sessionKeys(), sharedKeys()...), models)}
}

func modelSpec(port bool) *spec {
	s := &spec{form: formKeys}
	if port {
		s.keys = append(s.keys, sessionKeys()...)
	}
	s.keys = append(s.keys, sharedKeys()...)
	s.keys = append(s.keys, deploymentKeys()...)
	s.keys = append(s.keys, localKeys()...)
	return s
}

func sessionKeys() []key {
	return []key{
		{"port", spec{
			form: formInteger, least: atLeast(1), most: atMost(65535),
			doc: "The one local port of the session. Not given: 8080, or the next free one.",
		}},
		{"capture", captureSpec()},
	}
}

// sharedKeys are defaults for all models where they stand beside models.
func sharedKeys() []key {
	return []key{
		{"project", spec{form: formText, rule: dnsLabel(50), def: defaultProject, doc: "The project, which is the namespace."}},
		{"team", spec{form: formText, rule: labelValue(), doc: "The project's team, a label of the deployment."}},
		{"stream", spec{form: formText, rule: labelValue(), doc: "The project's stream, a label of the deployment."}},
		{"environment", spec{form: formText, rule: labelValue(), doc: "The environment's name, a label of the deployment."}},
		{"labels", pairs("key", labelKey(), spec{form: formText, rule: labelValue()}, "The project's own labels, in order.")},
		{"platform", platformSpec()},
		{"fidelity", spec{form: formText, options: []string{string(emulator.Documented), string(emulator.Deployed)}, def: string(emulator.Documented), doc: "Which production is played where they differ: what the contract promises, or what the cluster does."}},
		{"compare", compareSpec()},
		{"env_file", spec{form: formText, rule: nonEmpty(), def: ".env", doc: "A dotenv file with the values of secrets that the host's environment does not have. Keep it out of git."}},
	}
}

func deploymentKeys() []key {
	return []key{
		{"model", spec{form: formText, rule: dnsLabel(maxModelName), doc: "The model's name. Not given: the folder's."}},
		{"version", spec{form: formText, rule: positiveInteger(), def: defaultVersion, doc: "The model version's number."}},
		{"revision", spec{form: formInteger, least: atLeast(0), most: atMost(math.MaxInt32), def: 0, doc: "Redeployments of the version; above 0 it is part of the full name."}},
		{"protocol", spec{form: formText, options: []string{string(merlin.HTTPJSON), string(merlin.UPIV1)}, def: string(merlin.HTTPJSON), doc: "What the model speaks."}},
		{"image", spec{form: formText, rule: imageName(), doc: "The image. With build, the name that production knows it by."}},
		{"model_dir", spec{form: formText, rule: nonEmpty(), doc: "The folder whose content the model finds at its artifact location."}},
		{"artifact_uri", spec{form: formText, doc: "Where production keeps the artifacts, without the trailing /model."}},
		{"command", spec{form: formText, hint: oneText, doc: "Replaces the image's entrypoint and its arguments. Cut at every space, without quoting."}},
		{"args", spec{form: formText, hint: oneText, doc: "Replaces the image's arguments. Cut at every space, without quoting."}},
		{"env_vars", pairs("name", envName(), spec{form: formText}, "Variables of the container, in order.")},
		{"secrets", secretsSpec()},
		{"resource_request", resourcesSpec()},
		{"deployment_mode", spec{form: formText, options: []string{string(merlin.Serverless), string(merlin.RawDeployment), ""}, def: string(merlin.Serverless), doc: "How production runs the model; empty is serverless."}},
		{"autoscaling_policy", autoscalingSpec()},
		{"container_concurrency", spec{form: formInteger, least: atLeast(0), most: atMost(1000), def: 0, doc: "Requests that one replica takes at a time; 0 is no limit, as Merlin deploys."}},
		{"timeout", spec{form: formSeconds, least: above(0), most: atMost(600), def: 300, doc: "Knative's revision timeout: seconds, or a duration such as 90s."}},
		{"response_start_timeout", spec{form: formSeconds, least: atLeast(0), most: atMost(600), def: 0, doc: "Knative's bound on the wait for an answer's first byte; 0 is none, as Merlin deploys."}},
		{"idle_timeout", spec{form: formSeconds, least: atLeast(0), most: atMost(600), def: 0, doc: "Knative's bound on the silence within an answer; 0 is none, as Merlin deploys."}},
		{"weight", spec{form: formInteger, least: atLeast(0), most: atMost(100), def: 0, doc: "This version's share of the model endpoint's traffic; versions that give none share equally."}},
	}
}

// localKeys are what only a local run needs.
func localKeys() []key {
	return []key{
		{"build", buildSpec()},
		{"readiness_probe", probeSpec("How readiness is asked here; what is not given is as the fidelity has it. Merlin lets nobody set it.")},
		{"liveness_probe", probeSpec("How liveness is asked here; what is not given is as the fidelity has it. Merlin lets nobody set it.")},
		{"exec", spec{form: formText, rule: nonEmpty(), doc: "A shell command that serves the model as a host process, without Docker."}},
		{"debug", debugSpec()},
		{"metrics", metricsSpec()},
		{"watch", watchSpec()},
		{"reload", spec{form: formText, options: []string{string(emulator.ReloadAuto), string(emulator.ReloadReplace)}, def: string(emulator.ReloadAuto), doc: "How a new revision takes over: auto has the old one serve until the new one is ready, where both fit in memory; replace stops the old one first."}},
	}
}

// oneText explains the most common slip with command and args.
const oneText = "; production takes one text and cuts it at every space"

func atLeast(v float64) *bound { return &bound{value: v} }
func atMost(v float64) *bound  { return &bound{value: v} }
func above(v float64) *bound   { return &bound{value: v, exclusive: true} }

// pairs is a mapping, or a list where a name may come twice.
func pairs(name string, names *rule, value spec, doc string) spec {
	value.doc = "The value, as written; empty where none is given."
	return spec{
		form: formTable | formList, names: names, each: &value, doc: doc,
		items: &spec{form: formKeys, keys: []key{
			{name, spec{form: formText, rule: names, required: true, doc: "The name."}},
			{"value", value},
		}},
	}
}
