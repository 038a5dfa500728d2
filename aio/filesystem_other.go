//go:build !linux

package aio

// DetectFS knows Linux only.
func DetectFS(string) FileSystem { return FileSystem{Type: "unknown"} }
