package merlin

import "strings"

// Words cuts a command or args as Merlin does: at every single space, without any
// shell quoting, so that two spaces leave an empty word. An empty text is nil, the
// image's own.
func Words(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, " ")
}

// ExpandWords expands $(NAME) in a command or args against the whole environment;
// of a name that stands twice the last counts.
func ExpandWords(words []string, env []Variable) []string {
	if words == nil {
		return nil
	}
	vars := make(map[string]string, len(env))
	for _, v := range env {
		vars[v.Name] = v.Value
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = expand(w, vars)
	}
	return out
}

// PortName is the name of the container's port, which tells Knative and KServe the
// protocol; empty where Merlin declares no port and HTTP/1.1 on 8080 is understood.
func (d Deployment) PortName() string {
	switch {
	case d.Protocol != UPIV1:
		return ""
	case d.Raw():
		return "grpc"
	default:
		return "h2c"
	}
}
