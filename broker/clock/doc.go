// Package clock holds the two readings of time that the broker takes as an argument: nothing below cmd and the run
// loops reads a clock of its own, so that a simulation can replay every decision from a seed.
package clock
