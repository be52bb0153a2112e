package config

import (
	"os"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// checkModel tells what is wrong between the keys of one model, and between it and
// the disk.
func (d decoder) checkModel(n *node, m *emulator.Model) {
	if m.Build == nil && !n.gives("build") && !n.gives("image") && !n.gives("exec") {
		d.report.add(n.at, d.at(""), "nothing to run, as %s has no Dockerfile: write one, "+
			"name an image (image in %s, or --image), or give the command that serves without Docker (exec)", d.dir, FileName)
	}
	d.checkFolders(n, m)
	d.checkReplicas(n, m.Deployment.ResourceRequest)
	d.checkCPU(n, m.Deployment.ResourceRequest)
	d.checkProbes(n)
	d.checkDebug(n, m.Debug)
	d.checkReserved(n, m.Deployment.DeploymentMode)
	d.checkPush(n, m)
	for _, s := range n.get("build").elements("secrets") {
		if s.gives("src") == s.gives("env") {
			d.report.add(s.at, d.at("build.secrets"), "a build secret has either src (a file) or env (a variable of the host)")
		}
	}
}

// at is a key's path in the file.
func (d decoder) at(key string) string {
	if d.path == "" || key == "" {
		return d.path + key
	}
	return d.path + "." + key
}

func (d decoder) checkFolders(n *node, m *emulator.Model) {
	if dir := n.get("model_dir"); dir != nil && !isFolder(m.ModelDir) {
		d.report.add(dir.at, d.at("model_dir"), "no such folder: %s", m.ModelDir)
	}
	if m.Build == nil {
		return
	}
	if !isFolder(m.Build.Context) {
		d.report.add(n.find("build.context").at, d.at("build.context"), "no such folder: %s", m.Build.Context)
		return
	}
	if !isFile(m.Build.Dockerfile) {
		d.report.add(n.find("build.dockerfile").at, d.at("build.dockerfile"),
			"no such file: %s (the path is relative to build.context)", m.Build.Dockerfile)
	}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func (d decoder) checkReplicas(n *node, r *merlin.ResourceRequest) {
	asked := n.get("resource_request")
	if r != nil && r.MinReplica > r.MaxReplica && !asked.wrong("max_replica") {
		d.report.add(n.find("resource_request.min_replica").at, d.at("resource_request.min_replica"),
			"%d is more than max_replica, which is %d", r.MinReplica, r.MaxReplica)
	}
}

// checkProbes refuses a path for what asks no path.
func (d decoder) checkProbes(n *node) {
	for _, key := range []string{"readiness_probe", "liveness_probe"} {
		kind, path := n.get(key).string("kind", "http"), n.get(key).get("path")
		if path != nil && kind != "http" {
			d.report.add(n.find(key+".path").at, d.at(key+".path"), "a probe of kind %s asks no path: leave one of them out", kind)
		}
	}
}

// checkCPU holds Kubernetes' rule that a limit is not below the request.
func (d decoder) checkCPU(n *node, r *merlin.ResourceRequest) {
	if r == nil {
		return
	}
	limit, err := resource.ParseQuantity(r.CPULimit)
	request, err2 := resource.ParseQuantity(r.CPURequest)
	if err == nil && err2 == nil && !limit.IsZero() && limit.Cmp(request) < 0 {
		d.report.add(n.find("resource_request.cpu_limit").at, d.at("resource_request.cpu_limit"),
			"%s is less than cpu_request, which is %s", r.CPULimit, r.CPURequest)
	}
}

// checkReserved refuses what Knative's webhook refuses; raw deployments have no Knative.
func (d decoder) checkReserved(n *node, mode merlin.DeploymentMode) {
	if mode == merlin.RawDeployment {
		return
	}
	tell := func(at place, key, name string) {
		if slices.Contains([]string{"PORT", "K_REVISION", "K_CONFIGURATION", "K_SERVICE"}, name) {
			d.report.add(at, d.at(key), "%s is Knative's own, and production refuses the deployment: choose another name", name)
		}
	}
	for _, p := range n.get("env_vars").pairs("name") {
		tell(p.at, "env_vars", p.key)
	}
	for _, s := range n.elements("secrets") {
		tell(s.find("env_var_name").at, "secrets", s.string("env_var_name", ""))
	}
	for _, p := range n.get("platform").get("default_env_vars_without_cpu_limits").pairs("name") {
		tell(p.at, "platform.default_env_vars_without_cpu_limits", p.key)
	}
}

// checkPush refuses a variable that somebody else sets.
func (d decoder) checkPush(n *node, m *emulator.Model) {
	if m.Metrics.Push == "" {
		return
	}
	for _, v := range m.Deployment.Variables(merlin.Production()) {
		if v.Name != m.Metrics.Push || v.Source == merlin.FromUser || v.Source == merlin.FromPlatform {
			continue
		}
		whose := "Merlin's or Knative's own"
		if v.Source == merlin.FromSecret {
			whose = "a secret's"
		}
		d.report.add(n.find("metrics.push").at, d.at("metrics.push"), "%s is %s: choose another name", v.Name, whose)
		return
	}
}

// maxVersions is how many versions of a model Merlin deploys at a time.
const maxVersions = 2

// checkSession tells what is wrong between models.
func checkSession(f *File, report *report) {
	first := map[string]int{}
	versions := map[string]int{}
	for i, m := range f.Models {
		tree := f.trees[i]
		if tree.bad || tree.wrong("model") || tree.wrong("version") {
			continue
		}
		if j, twice := first[m.ID()]; twice {
			report.add(tree.find("version").at, modelPath(i), "%s is there twice in one session: first in line %d", m.ID(), f.trees[j].at.line)
			continue
		}
		first[m.ID()] = i
		name := m.Deployment.Project + "/" + m.Deployment.Model
		if versions[name]++; versions[name] > maxVersions {
			report.add(tree.find("version").at, modelPath(i), "a third version of %s: Merlin deploys at most %d of one model", m.Deployment.Model, maxVersions)
		}
	}
}
