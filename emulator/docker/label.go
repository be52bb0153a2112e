package docker

import (
	"strconv"

	"github.com/docker/docker/api/types/filters"

	"github.com/caraml-dev/merlin-local/emulator"
)

// The labels on everything that is made.
const (
	labelSession  = "dev.merlin-local.session"
	labelProject  = "dev.merlin-local.project"
	labelModel    = "dev.merlin-local.model"
	labelRevision = "dev.merlin-local.revision"
	// labelRole is on containers and volumes only. A container takes on its image's
	// labels: without this one, what a user runs of our image by hand would be swept.
	labelRole = "dev.merlin-local.role"
)

// The roles.
const (
	roleModel    = "model"
	roleArtifact = "artifact" // a volume, or the container that fills it
)

// labels are those of everything, images too.
func (r *Runtime) labels(model *emulator.Model, revision int) map[string]string {
	return map[string]string{
		labelSession:  r.options.Session,
		labelProject:  model.Deployment.Project,
		labelModel:    model.ID(),
		labelRevision: strconv.Itoa(revision),
	}
}

// labelsFor are those of a container or volume.
func (r *Runtime) labelsFor(role string, spec emulator.ContainerSpec) map[string]string {
	labels := r.labels(spec.Model, spec.Revision)
	labels[labelRole] = role
	return labels
}

// ofSession selects the containers and volumes that one session made.
func ofSession(session string) filters.Args {
	return filters.NewArgs(filters.Arg("label", labelSession+"="+session), filters.Arg("label", labelRole))
}

// ofAnySession selects the containers and volumes that any session made.
func ofAnySession() filters.Args {
	return filters.NewArgs(filters.Arg("label", labelSession), filters.Arg("label", labelRole))
}
