package docker

import (
	"reflect"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
)

func TestWhatTheLastCopyLinesDoAsFarAsThatIsPlain(t *testing.T) {
	for _, row := range []struct {
		fact, dockerfile, target string
		want                     []emulator.Copy
	}{
		{"a line after the last RUN, relative to WORKDIR", "FROM a\nWORKDIR /app\nCOPY *.py ./\n", "", []emulator.Copy{{From: "*.py", To: "/app/"}}},
		{"what a RUN may have read is the build's", "FROM a\nWORKDIR /app\nCOPY requirements.txt ./\nRUN pip install\nCOPY *.py ./\n", "", []emulator.Copy{{From: "requirements.txt"}, {From: "*.py", To: "/app/"}}},
		{"several sources go into a folder", "FROM a\nCOPY a.py b.py /app\n", "", []emulator.Copy{{From: "a.py", To: "/app/"}, {From: "b.py", To: "/app/"}}},
		{"the form with brackets", "FROM scratch\nCOPY [\"bin/server\", \"/server\"]\n", "", []emulator.Copy{{From: "bin/server", To: "/server"}}},
		{"owner and mode in numbers", "FROM a\nCOPY --chown=65532:10 --chmod=755 run.sh /run.sh\n", "", []emulator.Copy{{From: "run.sh", To: "/run.sh", UID: 65532, GID: 10, Mode: 0o755}}},
		{"an owner alone is its group too", "FROM a\nCOPY --chown=7 x /y/\n", "", []emulator.Copy{{From: "x", To: "/y/", UID: 7, GID: 7}}},
		{"an owner by name is known in the image only", "FROM a\nCOPY --chown=app x /y/\n", "", []emulator.Copy{{From: "x"}}},
		{"the image's folder where no line sets one", "FROM a\nCOPY app.py .\n", "", []emulator.Copy{{From: "app.py", To: "/image/"}}},
		{"a folder of the base before the first WORKDIR is not known", "FROM a\nCOPY app.py .\nWORKDIR /app\n", "", []emulator.Copy{{From: "app.py"}}},
		{"a WORKDIR that a variable makes", "FROM a\nARG D\nWORKDIR $D\nCOPY app.py .\n", "", []emulator.Copy{{From: "app.py"}}},
		{"a source that a variable makes may be any file", "FROM a\nARG S\nCOPY $S /app/\nCOPY b.py /app/\n", "", nil},
		{"ADD unpacks", "FROM a\nADD x.tar /app/\nCOPY b.py /app/\n", "", []emulator.Copy{{From: "x.tar"}, {From: "b.py", To: "/app/"}}},
		{"an earlier stage that sees the context", "FROM a AS b\nCOPY . .\nRUN make\nFROM c\nCOPY --from=b /x /x\nCOPY app.py /app/\n", "", nil},
		{"an earlier stage that does not", "FROM a AS b\nRUN make\nFROM c\nCOPY --from=b /x /x\nCOPY app.py /app/\n", "", []emulator.Copy{{From: "app.py", To: "/app/"}}},
		{"the stage that is built", "FROM a AS first\nCOPY a.py /app/\nFROM a\nCOPY b.py /app/\n", "first", []emulator.Copy{{From: "a.py", To: "/app/"}}},
		{"a RUN that mounts the context", "FROM a\nRUN --mount=type=bind,target=/src make\nCOPY b.py /app/\n", "", nil},
		{"excluded files", "FROM a\nCOPY --exclude=*.md . /app/\n", "", []emulator.Copy{{From: "."}}},
		{"no such target", "FROM a\nCOPY b.py /app/\n", "other", nil},
	} {
		t.Run(row.fact, func(t *testing.T) {
			got, err := copies([]byte(row.dockerfile), row.target, "/image")
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(row.want) || len(got) > 0 && !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

func TestADockerfileThatCannotBeReadIsAnError(t *testing.T) {
	for _, text := range []string{"", "COPY a b", "FROM a\nNONSENSE x"} {
		if _, err := copies([]byte(text), "", "/"); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}
