package watch

// Notice is what a person may want to know of the watching itself.
type Notice struct {
	Kind Topic
	// Path is what it is about, relative to the root; empty where it is the whole.
	Path string
	// Text is a sentence for people; where they can do something, it says what.
	Text string
}

// Topic is what a notice is about.
type Topic string

// The topics of notices.
const (
	Started     Topic = "started"      // how it is watched, and how much that is
	Polling     Topic = "polling"      // notifications are not to be had, and why
	Limit       Topic = "limit"        // the kernel's limit that is in the way; polling follows
	Overflow    Topic = "overflow"     // notifications were lost; the folder was read anew
	Unreadable  Topic = "unreadable"   // a file or folder that cannot be read
	BadPattern  Topic = "bad-pattern"  // an ignore file that is not understood
	Link        Topic = "link"         // a symbolic link that is not followed
	RootMissing Topic = "root-missing" // the folder is gone
	RootBack    Topic = "root-back"    // and there again
	Cache       Topic = "cache"        // what an earlier run left is not used, or cannot be kept
)
