// Package tui is the terminal screen: everything that happens to the models of a
// session, live.
//
// It renders session.State and nothing else; what a key asks for goes to a Controller.
// One tea.Model, the screen, owns everything, in Bubble Tea's goroutine. Panels are parts
// of it: they draw lines of a given size and answer keys, and do no I/O; what takes time
// is a tea.Cmd. Text that comes from a model is made safe by prose.Clean before it is
// drawn.
//
// Only the 16 colours of the terminal's own palette are used, so that the screen looks
// right on light and dark; no meaning is carried by a colour alone.
package tui
