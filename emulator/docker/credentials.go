package docker

import (
	"context"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/docker/api/types/registry"
	"github.com/moby/buildkit/session/auth"
	"google.golang.org/grpc"
)

// hubServer is the name under which the CLI's config keeps the default registry.
const hubServer = "https://index.docker.io/v1/"

// server is the name under which the CLI's config keeps a registry.
func server(registryHost string) string {
	switch registryHost {
	case "docker.io", "index.docker.io", "registry-1.docker.io":
		return hubServer
	}
	return registryHost
}

// registryOf is the host of the registry that a reference names.
func registryOf(name string) (string, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", err
	}
	return reference.Domain(named), nil
}

// credentials are what the user is logged in with; all empty where there is no login.
// They may come from a credential helper, a program that the config names.
func credentials(cli *configfile.ConfigFile, registryHost string) (registry.AuthConfig, error) {
	found, err := cli.GetAuthConfig(server(registryHost))
	return registry.AuthConfig(found), err
}

// allCredentials are for the classic builder, which cannot ask for those it needs.
// One that cannot be read is left out: the build may not need it.
func allCredentials(cli *configfile.ConfigFile) map[string]registry.AuthConfig {
	found, err := cli.GetAllCredentials()
	if err != nil {
		found = cli.GetAuthConfigs()
	}
	all := map[string]registry.AuthConfig{}
	for server, c := range found {
		all[server] = registry.AuthConfig(c)
	}
	return all
}

// login answers BuildKit when a build needs credentials.
type login struct {
	// The token calls stay unimplemented: BuildKit then fetches tokens itself, and
	// no key of ours is written to the user's config folder.
	auth.UnimplementedAuthServer
	cli *configfile.ConfigFile
}

func (l *login) Register(server *grpc.Server) { auth.RegisterAuthServer(server, l) }

// Credentials answers with none where they cannot be read, as the CLI does: most
// images need none.
func (l *login) Credentials(_ context.Context, request *auth.CredentialsRequest) (*auth.CredentialsResponse, error) {
	found, err := credentials(l.cli, request.Host)
	switch {
	case err != nil:
		return &auth.CredentialsResponse{}, nil
	case found.IdentityToken != "":
		return &auth.CredentialsResponse{Secret: found.IdentityToken}, nil
	}
	return &auth.CredentialsResponse{Username: found.Username, Secret: found.Password}, nil
}
