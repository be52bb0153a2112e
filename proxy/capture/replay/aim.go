package replay

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Model is one of the models that a session serves.
type Model struct {
	ID, Name, Version, FullName, Project string
	Host                                 string // of its version's endpoint
}

// hosts are those at which the session's port knows the model, besides what --domain adds.
func (m *Model) hosts() []string {
	return []string{strings.ToLower(m.Host), m.host(m.FullName), m.host(m.Name + "-" + m.Version), m.host(m.Name)}
}

func (m *Model) host(name string) string {
	return strings.ToLower(name + "." + m.Project + ".localhost")
}

// called tells how well a name fits the model: 3 its full name, 2 its own, 1 another
// version's or revision's, 0 not at all.
func (m *Model) called(name string) int {
	switch name {
	case m.FullName, m.Name + "-" + m.Version:
		return 3
	case m.Name:
		return 2
	}
	if rest, ok := strings.CutPrefix(name, m.Name+"-"); ok && versioned.MatchString(rest) {
		return 1
	}
	return 0
}

// versioned is what stands behind a model's name in that of a revision.
var versioned = regexp.MustCompile(`^\d+(-r\d+)?$`)

// modelPath is a path that names a model, by its full name.
var modelPath = regexp.MustCompile(`^(/v1/models/)([^/:]+)(.*)$`)

// Aimer makes of captured requests those that the models of a session answer. What is
// known at its port stays as it was; else the model is found by the host's name, by the
// path's, or is the only one. It is used by one goroutine.
type Aimer struct {
	Models []Model
	// Only is the model for every request, and the name in its path; nil where the
	// request says it.
	Only *Model
	// KeepHost leaves the host as it was, whatever it is.
	KeepHost bool

	decisions []Decision
}

// Decision is what was changed in requests.
type Decision struct {
	Host     string `json:"host"`      // as recorded
	PathName string `json:"path_name"` // the model's name in the path, as recorded
	ToHost   string `json:"to_host"`
	ToName   string `json:"to_path_name"`
	Count    int    `json:"count"` // of requests
}

// mostDecisions bounds what is told of a recording with a host for each request.
const mostDecisions = 100

// Decisions are what was changed, in the order in which it first was.
func (a *Aimer) Decisions() []Decision { return a.decisions }

// Aim makes the request to send. Its Model is the ID of the one that it is for.
func (a *Aimer) Aim(x event.Exchange) (event.Exchange, error) {
	name := ""
	if found := modelPath.FindStringSubmatch(x.Path); found != nil {
		name = found[2]
	}
	model, to, err := a.choose(&x, name)
	if err != nil {
		return x, err
	}
	d := Decision{Host: x.Host, PathName: name, ToHost: to.ToHost, ToName: to.ToName}
	if name == "" {
		d.ToName = ""
	}
	x.Model = model
	if d.ToHost == d.Host && d.ToName == d.PathName {
		return x, nil
	}
	a.note(d)
	x.Host = d.ToHost
	x.Path = modelPath.ReplaceAllString(x.Path, "${1}"+strings.ReplaceAll(d.ToName, "$", "$$")+"${3}")
	return x, nil
}

func (a *Aimer) note(d Decision) {
	same := func(e Decision) bool {
		e.Count = 0
		return d == e
	}
	if i := slices.IndexFunc(a.decisions, same); i >= 0 {
		a.decisions[i].Count++
		return
	}
	if len(a.decisions) < mostDecisions {
		d.Count = 1
		a.decisions = append(a.decisions, d)
	}
}

// choose finds the model of a request, and the host and the name in the path to ask it by.
func (a *Aimer) choose(x *event.Exchange, name string) (model string, to Decision, err error) {
	to = Decision{ToHost: x.Host, ToName: name}
	if a.Only != nil {
		to.ToName = a.Only.FullName
		if !a.KeepHost {
			to.ToHost = a.Only.Host
		}
		return a.Only.ID, to, nil
	}
	host := bare(x.Host)
	if i := slices.IndexFunc(a.Models, func(m Model) bool { return slices.Contains(m.hosts(), host) }); i >= 0 {
		return a.Models[i].ID, to, nil
	}
	label, _, _ := strings.Cut(host, ".")
	if local(host) {
		if len(a.Models) == 1 { // any host reaches it
			return a.Models[0].ID, to, nil
		}
		label = name
	}
	m := a.find(label, host)
	if m == nil {
		return "", to, Unsendable{"no model of its host", fmt.Sprintf("no model here is that of host %q and path %s: say which one with --model", x.Host, x.Path)}
	}
	to.ToHost = m.Host
	switch {
	case m.called(label) == 2 && label != m.FullName: // the model's endpoint, which takes the path's name from itself
		to.ToHost = m.host(m.Name)
	case name == label:
		to.ToName = m.FullName
	}
	return m.ID, to, nil
}

// find is the model that a name fits best, of the host's project where there is such a
// one, or the only one; nil where several fit as well.
func (a *Aimer) find(label, host string) *Model {
	if len(a.Models) == 1 {
		return &a.Models[0]
	}
	best, most, several := -1, 0, false
	for i := range a.Models {
		m := &a.Models[i]
		fits := 2 * m.called(label)
		if fits > 0 && strings.HasPrefix(host, label+"."+strings.ToLower(m.Project)+".") {
			fits++
		}
		if fits > most {
			best, most, several = i, fits, false
		} else if fits == most {
			several = true
		}
	}
	if most == 0 || several {
		return nil
	}
	return &a.Models[best]
}

// bare is a host in lower case without its port and brackets.
func bare(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// local tells whether a host says only that it is this machine.
func local(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "" || host == "localhost" || err == nil && address.IsLoopback()
}
