package session

import "errors"

// errStop is a log that failed for good.
var errStop = errors.New("the disk is gone")
