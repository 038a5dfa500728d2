package journal

// State is what belongs to this broker's disk alone and is never replicated: two checksummed blocks beside the slots,
// written in turn.
type State struct {
	Instance Member // random, made with the directory
	Copying  bool   // the follower cuts or copies: no own alone record gives a right, and load calls nothing damage
	Promises []byte // the host's, at most StateHostMax bytes
}

// StateHostMax limits State.Promises.
const StateHostMax = 2048

// Save writes the state durably; it blocks. Only the holder of the journal's lock may call it.
func (i *Image) Save(s State) error { return errUnfinished }
