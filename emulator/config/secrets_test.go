package config

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const twoSecrets = `
secrets:
  - {mlp_secret_name: db, env_var_name: DB_PASSWORD}
  - {mlp_secret_name: key, env_var_name: API_KEY}
`

// host is an environment of these variables.
func host(vars ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, v := range vars {
			if key, value, _ := strings.Cut(v, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

func TestSecretsComeFromTheHostThenFromTheDotenvFile(t *testing.T) {
	dir := repo(t, map[string]string{
		FileName: twoSecrets, "Dockerfile": "",
		".env": "\ufeff# secrets\nexport DB_PASSWORD=from-file\r\nAPI_KEY='a $b \"c\"'\n",
	})
	f := loadFrom(t, dir, Overrides{})
	must(t, f.ResolveSecrets(host("DB_PASSWORD=from-host")))
	equal(t, f.Models[0].SecretValues, map[string]string{"DB_PASSWORD": "from-host", "API_KEY": `a $b "c"`})
	equal(t, f.Dotenvs(), []string{filepath.Join(dir, ".env")})
}

func TestAnEmptySecretOfTheHostIsAValue(t *testing.T) {
	f, err := loadText(t, twoSecrets)
	must(t, err)
	must(t, f.ResolveSecrets(host("DB_PASSWORD=", "API_KEY=x")))
	equal(t, f.Models[0].SecretValues["DB_PASSWORD"], "")
}

func TestSecretsAreNotNeededToLoad(t *testing.T) {
	f, err := loadText(t, twoSecrets+"env_file: not-there.env\n")
	must(t, err)
	if f.Models[0].SecretValues != nil || len(f.Dotenvs()) > 0 {
		t.Errorf("got %+v", f.Models[0].SecretValues)
	}
}

func TestEachMissingSecretSaysWhatToDo(t *testing.T) {
	dir := repo(t, map[string]string{FileName: twoSecrets, "Dockerfile": ""})
	err := loadFrom(t, dir, Overrides{}).ResolveSecrets(host())
	dotenv := filepath.Join(dir, ".env")
	wantText(t, err,
		FileName+":3:41: secrets[0].env_var_name: the secret db has no value here: export DB_PASSWORD, or add DB_PASSWORD=… to "+dotenv,
		FileName+":4:42: secrets[1].env_var_name: the secret key has no value here: export API_KEY")
}

func TestABrokenDotenvFileIsToldWithoutItsContent(t *testing.T) {
	for content, line := range map[string]string{
		"A=1\nB-C=hunter2\n":           ":2: ",
		"A=1\n\nDB_PASSWORD=\"hunter2": ":3: ",
		"hunter2 secret\n":             ":1: ",
	} {
		dir := repo(t, map[string]string{FileName: twoSecrets, "Dockerfile": "", ".env": content})
		err := loadFrom(t, dir, Overrides{}).ResolveSecrets(host())
		wantText(t, err, filepath.Join(dir, ".env")+line)
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
}

func TestGitTellsWhetherADotenvFileIsIgnored(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	dir := repo(t, map[string]string{".gitignore": ".env\n", ".env": "A=1", "other.env": "A=1"})
	path := filepath.Join(dir, ".env")
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(dir))
	if got := GitIgnores(t.Context(), path); got != GitUnknown {
		t.Errorf("outside of a work tree: got %v", got)
	}
	must(t, exec.Command("git", "init", "--quiet", dir).Run())
	if got := GitIgnores(t.Context(), path); got != GitIgnored {
		t.Errorf("an ignored file: got %v", got)
	}
	if got := GitIgnores(t.Context(), filepath.Join(dir, "other.env")); got != GitNotIgnored {
		t.Errorf("another file: got %v", got)
	}
}
