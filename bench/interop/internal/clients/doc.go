// Package clients fetches unmodified client libraries and the reference broker with Maven, and compiles the probes
// against each client.
//
// Everything lands below one cache folder and is made once: a result's folder appears by rename when it is complete,
// and compiled classes live under the hash of their sources. Start with Kit.
package clients
