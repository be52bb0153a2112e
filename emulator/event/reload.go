package event

// Tier is how an edit comes to the container: the cheapest way that is correct.
type Tier string

// The tiers; each does all that those before it do.
const (
	TierNone    Tier = "none"    // nothing of the container comes from the file
	TierRestart Tier = "restart" // a fresh container of the same image: artifact or variables changed
	TierSync    Tier = "sync"    // a fresh container of the same image, with the changed files copied into it
	TierRebuild Tier = "rebuild" // build.run, an image, and a container of it
)
