package replication

import (
	"slices"

	"github.com/hindmq/hind/journal"
)

// history answers which part of a follower's log belongs to the owner's, although the owner may have retired the files that
// would show it page by page. One process writes an epoch, into files whose names are random; so two logs in which an epoch
// begins with the same file are the same from there to where one of them leaves the epoch.
type history struct {
	owner    []journal.EpochPoint
	follower []journal.EpochPoint // all that were received, ascending
}

func newHistory(f *journal.Follower, owner []journal.EpochPoint) history {
	return history{owner: owner, follower: received(f.Epochs(), f.Files())}
}

// received adds to the epochs that were applied those that were only received: their first files are there.
func received(applied []journal.EpochPoint, files []journal.FileInfo) []journal.EpochPoint {
	points := slices.Clone(applied)
	for i, f := range files {
		begins := i == 0 && f.Pred.End == 0 || i > 0 && files[i-1].Incarnation != f.Incarnation
		if n := len(points); !begins || n > 0 && points[n-1].Incarnation >= f.Incarnation {
			continue // or its beginning is not there any more
		}
		points = append(points, journal.EpochPoint{Epoch: f.Epoch, Incarnation: f.Incarnation, Start: journal.Position{File: f.Pred.ID, Block: f.Pred.End}, File: f.Name})
	}
	return points
}

// has says that the end of a page of the follower lies in the owner's history. False: it does not, or nobody knows.
func (h *history) has(at journal.Position) bool {
	n := len(h.follower)
	for n > 0 && at.File < h.follower[n-1].File.ID {
		n--
	}
	if n == 0 {
		return false
	}
	own := h.follower[n-1]
	k := slices.IndexFunc(h.owner, func(e journal.EpochPoint) bool {
		return e.Epoch == own.Epoch && e.Incarnation == own.Incarnation && e.File == own.File
	})
	return k >= 0 && (k == len(h.owner)-1 || !h.owner[k+1].Start.Less(at))
}
