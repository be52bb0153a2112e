// Package watch reports edits of a folder as settled change sets: what differs in
// content, mode or name since the set before, once the writers have been quiet for
// a moment.
//
// Content decides. A stat that differs is only the reason to read a file again; a
// touch, a save of the same bytes, or a change and its undo within a moment are no
// change. A folder by itself is none either: it is there while a file is in it.
//
// Notifications are used where they are complete and do no harm, which is on Linux
// and local file systems. Elsewhere the folder is polled: kqueue wants a descriptor a
// file, and a folder that is watched on Windows keeps its parents from being renamed.
// Both give the same sets, because both only say where to look.
//
// A Watcher's callbacks come from the goroutine of Run, one at a time and in order;
// while one runs, changes are collected. Nothing is ever written below the root, and
// nothing outside of it is read, except for what a symbolic link in it leads to and
// the Dockerfile that the options name.
package watch
