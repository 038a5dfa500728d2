package wire

// Versions of the protocol ("incrementing versions") that this codec speaks, and the gates between them.
const (
	// VersionMin is the oldest version spoken: releases 2.0 to 2.6. Older ones lay out messages differently.
	VersionMin = 129
	// VersionMax is the newest, and the one announced: releases 2.37 and later.
	VersionMax = 136

	versionCorrelation      = 130 // responses, sends: correlation id; consumers: priority
	versionClientID         = 131 // CREATESESSION_V2, CLUSTER_TOPOLOGY_V4, DISCONNECT_V3
	versionCommitID         = 132 // correlation id of a commit
	versionSenderID         = 134 // sends name their producer
	versionBindingQueryFive = 135 // binding query says which routing types an address has
)

// EffectiveVersion is the version whose layouts both sides use: the smaller of what each announced.
func EffectiveVersion(announced, own int32) int32 { return min(announced, own) }
