package replication

import (
	"slices"

	"github.com/hindmq/hind/journal"
	"github.com/hindmq/hind/journal/datafile"
)

// history answers which part of a follower's log belongs to the owner's, although the owner may have retired the files that
// would show it page by page. One process writes an epoch, into files whose names are random; so two logs in which an epoch
// begins with the same file are the same from there to where one of them leaves the epoch.
type history struct {
	owner    []journal.EpochPoint
	follower []journal.EpochPoint
	files    []journal.FileInfo // of the follower
}

func newHistory(f *journal.Follower, owner []journal.EpochPoint) history {
	return history{owner: owner, follower: f.Epochs(), files: f.Files()}
}

// has says that the end of a page of the follower lies in the owner's history. False: it does not, or nobody knows.
func (h *history) has(at journal.Position) bool {
	i := slices.IndexFunc(h.files, func(f journal.FileInfo) bool { return f.Name.ID == at.File })
	if i < 0 {
		return false
	}
	epoch, incarnation := h.files[i].Epoch, h.files[i].Incarnation
	k := slices.IndexFunc(h.owner, func(e journal.EpochPoint) bool { return e.Epoch == epoch && e.Incarnation == incarnation })
	if k < 0 || h.owner[k].File != h.began(epoch, incarnation) {
		return false
	}
	return k == len(h.owner)-1 || !h.owner[k+1].Start.Less(at)
}

// began is the file with which an epoch begins in the follower's log; zero: it is not known.
func (h *history) began(epoch, incarnation uint32) datafile.Name {
	for _, e := range h.follower {
		if e.Epoch == epoch && e.Incarnation == incarnation {
			return e.File
		}
	}
	for i, f := range h.files { // received and not applied yet
		if i > 0 && f.Epoch == epoch && f.Incarnation == incarnation {
			return f.Name
		}
	}
	return datafile.Name{}
}
