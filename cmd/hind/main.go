package main

import (
	"os"

	"github.com/hindmq/hind/cmd/hind/internal/cli"
)

// version is set by the linker (see Makefile); a build without it says so.
var version = "unversioned"

func main() {
	os.Exit(cli.Main(cli.World{Version: version, Args: os.Args[1:], Out: os.Stdout, Err: os.Stderr}))
}
