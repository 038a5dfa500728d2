package aio

import "strings"

// Temporary is the name, in the same directory, under which Create fills a file before it appears. A crash may leave
// it; the next Create of the same file replaces it, and List never shows it.
func Temporary(base string) string { return "." + base + ".tmp" }

// TemporaryName says that base was made by Temporary.
func TemporaryName(base string) bool {
	return strings.HasPrefix(base, ".") && strings.HasSuffix(base, ".tmp")
}
