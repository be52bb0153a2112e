package proxy

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
)

// directory finds the endpoint of a host, as the ingress does from the routes that
// Merlin and KServe make.
type directory struct {
	endpoints map[string]endpoint // by host in lower case, without port
	only      *endpoint           // answers for any other host where one model is all
}

// localDomain needs no name server: clients and resolvers know it as loopback.
const localDomain = "localhost"

func newDirectory(models []*model, domains []string) directory {
	d := directory{endpoints: map[string]endpoint{}}
	domains = append([]string{localDomain}, domains...)
	for _, domain := range domains {
		if domain == "" { // a platform that gives none
			continue
		}
		for _, m := range models {
			d.add(m.FullName, m.Project, domain, revisionEndpoint(m))
		}
		for _, versions := range byName(models) {
			m := versions[0]
			d.add(m.Name, m.Project, domain, modelEndpoint(versions))
		}
		// Last, so that they win: a revision 0 has its version's host, and the
		// model "a-1" has that of version 1 of "a".
		for _, m := range models {
			d.add(m.Name+"-"+m.Version, m.Project, domain, versionEndpoint(m))
		}
	}
	if len(models) == 1 {
		only := versionEndpoint(models[0])
		d.only = &only
	}
	return d
}

func (d directory) add(name, project, domain string, e endpoint) {
	d.endpoints[strings.ToLower(name+"."+project+"."+strings.Trim(domain, "."))] = e
}

// byName groups the versions of each model, in the order they were given.
func byName(models []*model) map[[2]string][]*model {
	groups := map[[2]string][]*model{}
	for _, m := range models {
		key := [2]string{m.Project, m.Name}
		groups[key] = append(groups[key], m)
	}
	return groups
}

// way is where a request goes, and what the routes change in it.
type way struct {
	model  *model
	path   string
	retype bool
}

// find returns the way of a request.
func (d directory) find(host, path string) (way, *refusal) {
	e, ok := d.endpoints[bareHost(host)]
	switch {
	case ok:
	case d.only != nil:
		e = *d.only
	default:
		return way{}, d.refuse(fmt.Sprintf("no model answers at host %q", host))
	}
	m := e.choose()
	rewritten, ok := e.rewrite(m, path)
	if !ok {
		return way{}, d.refuse(fmt.Sprintf("the model endpoint %q routes %s only", host, predictPrefix))
	}
	return way{m, rewritten, e.retypes(m, path)}, nil
}

// bareHost is a Host header's name in lower case, without port and brackets.
func bareHost(host string) string {
	if strings.Contains(host, ":") { // without, an error would be made for each
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
	}
	return strings.ToLower(host)
}

// refuse answers as the ingress does, 404, but with what there is.
func (d directory) refuse(why string) *refusal {
	var body strings.Builder
	body.WriteString(why + "\n\nhosts on this port:\n")
	for _, host := range slices.Sorted(maps.Keys(d.endpoints)) {
		fmt.Fprintf(&body, "  %s  (%s)\n", host, d.endpoints[host].what)
	}
	return &refusal{status: http.StatusNotFound, body: body.String(), why: why}
}
