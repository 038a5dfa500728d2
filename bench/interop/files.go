// Package interop holds the material of the interoperability tests: Java sources, Maven poms and broker configurations.
// The command is cmd/interop; README.md tells how to run it.
package interop

import "embed"

// Files has the folders java, poms and configs.
//
//go:embed java poms configs
var Files embed.FS
