package tui

import "github.com/charmbracelet/bubbles/key"

// bind names a key, or several that do the same, and says what they do.
func bind(does string, shown string, keys ...string) key.Binding {
	if len(keys) == 0 {
		keys = []string{shown}
	}
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, does))
}

// keyMap are the keys of the whole screen. A panel's own come before them.
type keyMap struct {
	help, palette, filter, next, previous, zoom, enter, back                          key.Binding
	modelBefore, modelAfter, reload, rebuild, retry, predict, paste, quit, stop, show key.Binding
}

func newKeyMap(can bool, attached bool) *keyMap {
	k := &keyMap{
		show:        bind("show that panel", "1-6", "1", "2", "3", "4", "5", "6"),
		next:        bind("next panel", "tab"),
		previous:    bind("previous panel", "shift+tab"),
		enter:       bind("go in", "enter"),
		back:        bind("go back", "esc"),
		zoom:        bind("zoom the panel", "z"),
		filter:      bind("filter", "/"),
		palette:     bind("every action", ":"),
		help:        bind("keys", "?"),
		modelBefore: bind("model before", "["),
		modelAfter:  bind("model after", "]"),
		reload:      bind("reload: make a new revision", "R"),
		rebuild:     bind("reload with a new image", "B"),
		retry:       bind("start now what waits in back-off", "S"),
		predict:     bind("send the repo's request.json", "P"),
		paste:       bind("copy a command line that predicts", "C"),
		quit:        bind("stop the session and leave", "q"),
		stop:        bind("stop", "ctrl+c"),
	}
	switch {
	case attached:
		k.quit.SetHelp("q", "leave; the session goes on")
	case !can:
		k.quit.SetHelp("q", "leave")
	}
	for _, b := range []*key.Binding{&k.reload, &k.rebuild, &k.retry} {
		b.SetEnabled(can)
	}
	return k
}

// all are the bindings in the order that the help shows.
func (k *keyMap) all() []key.Binding {
	return []key.Binding{
		k.show, k.next, k.previous, k.enter, k.back, k.zoom, k.filter, k.palette, k.help,
		k.modelBefore, k.modelAfter, k.predict, k.paste, k.reload, k.rebuild, k.retry, k.quit, k.stop,
	}
}
