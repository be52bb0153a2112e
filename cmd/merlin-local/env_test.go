package main

import (
	"strings"
	"testing"

	"github.com/joho/godotenv"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestADotenvReaderGetsBackWhatTheContainerGets(t *testing.T) {
	for _, value := range []string{
		"", "plain", "two words", " edges ", "one\ntwo", "tab\there", `C:\new`, `"quoted"`, "it's", "$HOME and $(X)",
		"a#b", `"it's" $HOME \n`, "# none", "a=b", "100%", "back`tick`", "héllo", "{\"a\": [1, \"b\"]}", "a\r\nb",
	} {
		var out strings.Builder
		if err := envDotenv(&out, []merlin.Variable{{Name: "VALUE", Value: value}}); err != nil {
			t.Fatal(err)
		}
		got, err := godotenv.Unmarshal(out.String())
		if err != nil || got["VALUE"] != value {
			t.Errorf("%q is written as %s and read as %q, %v", value, out.String(), got["VALUE"], err)
		}
	}
}
