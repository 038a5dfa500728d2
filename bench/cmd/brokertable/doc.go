// Command brokertable turns what bench/interop's rates and gap printed into one Markdown table: medians over the rounds, with
// their spread and the load averages under which they were taken. It reads files, or its input when there are none.
package main
