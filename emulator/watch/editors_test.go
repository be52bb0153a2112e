package watch

import (
	"os"
	"os/exec"
	"testing"
)

// saves are how programs save main.py.
func saves() []deed {
	saved := []string{"modified main.py"}
	const content = "print('saved')\n"
	return []deed{
		{name: "vim, backupcopy=no", want: saved, do: func(l *lab) {
			l.write(".main.py.swp", "b0VIM 9.0")
			l.write("4913", "")
			l.remove("4913")
			l.rename("main.py", "main.py~")
			l.write("main.py", content)
			l.remove("main.py~")
			l.remove(".main.py.swp")
		}},
		{name: "vim, backupcopy=yes, and a backup that stays", want: saved, do: func(l *lab) {
			l.write("main.py~", "print(1)\n")
			l.must(os.Truncate(l.at("main.py"), 0))
			l.append("main.py", content)
			l.write(".main.py.swo", "still open")
		}},
		{name: "emacs", want: saved, do: func(l *lab) {
			if err := os.Symlink("me@here.4711:1", l.at(".#main.py")); err != nil {
				l.write(".#main.py", "") // as emacs does where links are not to be had
			}
			l.write("#main.py#", "auto-saved")
			l.rename("main.py", "main.py~")
			l.write("main.py", content)
			l.remove("#main.py#")
			l.remove(".#main.py")
		}},
		{name: "VS Code, in place", want: saved, do: func(l *lab) {
			l.must(os.Truncate(l.at("main.py"), 0))
			l.append("main.py", content)
		}},
		{name: "VS Code, atomic", want: saved, do: func(l *lab) {
			l.write("main.py.vsctmp", content)
			l.rename("main.py.vsctmp", "main.py")
		}},
		{name: "JetBrains, safe write", want: saved, do: func(l *lab) {
			l.write("main.py___jb_tmp___", content)
			l.rename("main.py", "main.py___jb_old___")
			l.rename("main.py___jb_tmp___", "main.py")
			l.remove("main.py___jb_old___")
		}},
		{name: "gedit", want: saved, do: func(l *lab) {
			l.write(".goutputstream-ABC123", content)
			l.rename(".goutputstream-ABC123", "main.py")
		}},
		{name: "sed -i", want: saved, do: func(l *lab) {
			l.write("sedA1b2C3", content)
			l.rename("sedA1b2C3", "main.py")
		}},
	}
}

// The tools themselves, where they are installed: they are who the table above imitates.
func TestSavesOfRealPrograms(t *testing.T) {
	for _, c := range []struct {
		name string
		run  []string
	}{
		{"sed", []string{"sed", "-i", "s/1/2/", "main.py"}},
		{"vim, backupcopy=no", []string{"vim", "-Nu", "NONE", "-es", "-c", "set backup backupcopy=no writebackup", "-c", "%s/1/2/", "-c", "wq", "main.py"}},
		{"vim, backupcopy=yes", []string{"vim", "-Nu", "NONE", "-es", "-c", "set backup backupcopy=yes writebackup", "-c", "%s/1/2/", "-c", "wq", "main.py"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := exec.LookPath(c.run[0]); err != nil {
				t.Skip("NOT TESTED with the program itself, only with what it does: " + err.Error())
			}
			onBoth(t, given, func(l *lab) {
				l.first()
				cmd := exec.Command(c.run[0], c.run[1:]...)
				cmd.Dir = l.root
				if out, err := cmd.CombinedOutput(); err != nil {
					l.t.Fatalf("%v: %v\n%s", c.run, err, out)
				}
				l.expect("modified main.py")
			})
		})
	}
}

// An editor's swap file between two looks is not reported, a person's file of a name
// like it is, with the next look.
func TestNamesThatOnlyLookLikeAnEditors(t *testing.T) {
	onBoth(t, given, func(l *lab) {
		l.first()
		l.write("sediments", "a model of rivers") // as sed's
		l.expect("added sediments")
		l.write("digits/4913", "a picture")
		l.write("digits/4914", "a picture")
		l.expect("added digits/4913", "added digits/4914")
		l.write("digits/5036", "a picture, 123 further")
		l.expect("added digits/5036")
		l.remove("sediments")
		l.expect("removed sediments")
	})
	for name, want := range map[string]bool{
		"main.py": false, "a.swp": false, ".a.swp": true, ".a.swo": true, ".a.sxp": false, ".sample": false, ".swp": false,
		"#": false, "#a#": true, "a#": false, "~": true, ".~lock.a.odt#": true, "jb_tmp": false,
	} {
		if neverWatched(name) != want {
			t.Errorf("%s is an editor's: %v", name, !want)
		}
	}
	for name, want := range map[string]bool{"4913": true, "5036": true, "4914": false, "": false, "sedation": false, "sed": false, "99999999999999999999": false} {
		if fleeting(name) != want {
			t.Errorf("%s is fleeting: %v", name, !want)
		}
	}
}
