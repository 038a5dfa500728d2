// Command hind is a message broker and the tools around it. main only hands over to internal/cli; start reading there.
package main
