// Command benchjournal measures Append of the journal library on a real file, beside fio's synced writes to the same disk.
//
// Cells (fio at a block size and depth; the journal with an engine and a number of callers) run interleaved: every round
// runs each cell once, in an order shuffled from the seed. What is printed are medians over the rounds.
//
// The anchor for N callers is N records a group times fio's writes a second, the groups written with O_DIRECT and O_DSYNC into
// a file that was filled before: the best of one group of N at a time (psync, io_uring) and four groups of N/4 (io_uring).
//
// Each record of 1 KiB is appended together with the deletion of the caller's previous one: one Append, one page, so the
// journal lives in a few files for ever and no write is made for the deletions.
//
// Start reading at main.go, then append.go and fio.go.
package main
