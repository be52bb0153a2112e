package docker

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/connhelper"
	dockercontext "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"
)

// endpoint is where an Engine may answer.
type endpoint struct {
	host    string // as unix:///var/run/docker.sock
	foundBy string
	options []client.Opt
}

// settings are what the user set up for the docker CLI.
type settings struct {
	getenv func(string) string
	home   string
	dir    string // of the config
	config *configfile.ConfigFile
}

func loadSettings(getenv func(string) string, home string) (settings, error) {
	dir := cmp.Or(getenv("DOCKER_CONFIG"), filepath.Join(home, ".docker"))
	file, err := config.Load(dir)
	if err != nil {
		return settings{}, fmt.Errorf("read the docker CLI's config: %w: mend or remove it", err)
	}
	return settings{getenv: getenv, home: home, dir: dir, config: file}, nil
}

// endpoints returns the places to try. What the user asks for by a variable or a
// context is the only one: another Engine would not hold the user's images.
func (s settings) endpoints() ([]endpoint, error) {
	if host := s.getenv("DOCKER_HOST"); host != "" {
		return s.single(s.fromHost(host))
	}
	if name := s.getenv("DOCKER_CONTEXT"); name != "" && name != "default" {
		return s.single(s.fromContext(name, "DOCKER_CONTEXT "+name))
	} else if name == "" && s.config.CurrentContext != "" && s.config.CurrentContext != "default" {
		return s.single(s.fromContext(s.config.CurrentContext, "the current context "+s.config.CurrentContext))
	}
	endpoints := knownSockets(s.getenv, s.home)
	for i := range endpoints {
		endpoints[i].options = []client.Opt{client.WithHost(endpoints[i].host), s.apiVersion()}
	}
	return endpoints, nil
}

func (s settings) single(e endpoint, err error) ([]endpoint, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.foundBy, err)
	}
	return []endpoint{e}, nil
}

// apiVersion is the user's own choice; it ends the negotiation.
func (s settings) apiVersion() client.Opt { return client.WithVersion(s.getenv("DOCKER_API_VERSION")) }

func (s settings) fromHost(host string) (endpoint, error) {
	e := endpoint{host: host, foundBy: "DOCKER_HOST"}
	helper, err := connhelper.GetConnectionHelper(host)
	if err != nil {
		return e, err
	}
	if helper != nil { // ssh
		plain := &http.Client{Transport: &http.Transport{DialContext: helper.Dialer}}
		e.options = []client.Opt{
			client.WithHTTPClient(plain), client.WithHost(helper.Host),
			client.WithDialContext(helper.Dialer), s.apiVersion(),
		}
		return e, nil
	}
	if s.wantsTLS() && !e.sharesFiles() {
		secure, err := s.tlsClient()
		if err != nil {
			return e, err
		}
		e.options = append(e.options, secure)
	}
	e.options = append(e.options, client.WithHost(host), s.apiVersion())
	return e, nil
}

func (s settings) wantsTLS() bool {
	return s.getenv("DOCKER_TLS_VERIFY") != "" || s.getenv("DOCKER_TLS") != ""
}

// tlsClient reads the certificates as the CLI does: from DOCKER_CERT_PATH, else from
// the config's folder. An Engine may do without a client's. DOCKER_TLS alone encrypts
// without checking the Engine's.
func (s settings) tlsClient() (client.Opt, error) {
	dir := cmp.Or(s.getenv("DOCKER_CERT_PATH"), s.dir)
	options := tlsconfig.Options{
		CAFile:             filepath.Join(dir, "ca.pem"),
		CertFile:           filepath.Join(dir, "cert.pem"),
		KeyFile:            filepath.Join(dir, "key.pem"),
		InsecureSkipVerify: s.getenv("DOCKER_TLS_VERIFY") == "",
		ExclusiveRootPools: true,
	}
	if _, err := os.Stat(options.CertFile); errors.Is(err, fs.ErrNotExist) {
		options.CertFile, options.KeyFile = "", ""
	}
	tls, err := tlsconfig.Client(options)
	if err != nil {
		return nil, fmt.Errorf("read the certificates: %w: set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem", err)
	}
	transport := &http.Transport{TLSClientConfig: tls}
	return client.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}), nil
}

// fromContext reads a context that "docker context create" wrote, certificates too.
func (s settings) fromContext(name, foundBy string) (endpoint, error) {
	e := endpoint{foundBy: foundBy}
	contexts := store.New(filepath.Join(s.dir, "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(dockercontext.DockerEndpoint, func() any { return &dockercontext.EndpointMeta{} }),
	))
	metadata, err := contexts.GetMetadata(name)
	if err != nil {
		return e, fmt.Errorf("%w: choose another with docker context use, or set DOCKER_HOST", err)
	}
	meta, err := dockercontext.EndpointFromContext(metadata)
	if err != nil {
		return e, err
	}
	full, err := dockercontext.WithTLSData(contexts, name, meta)
	if err != nil {
		return e, err
	}
	e.host = full.Host
	e.options, err = full.ClientOpts()
	return e, err
}
