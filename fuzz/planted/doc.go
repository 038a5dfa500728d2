// Package planted holds mistakes as patches against the product's source, and the proof that tests see them.
//
// Each patch begins with a line "# test: PACKAGE REGEXP": applied to a copy of the tree, it must turn
// `go test -short -run REGEXP PACKAGE` red, which is green without it. A patch that does not apply, or does not compile, is
// a mistake of its own: it proves nothing any more. Run it with `make test-planted`, or
//
//	go test -tags planted ./fuzz/planted
//
// The product's source carries none of them.
package planted
