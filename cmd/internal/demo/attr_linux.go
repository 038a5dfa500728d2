package demo

import "syscall"

// childAttr ties a child to the thread that starts it, and keeps Ctrl-C in the terminal from reaching it: the director
// ends it when the figures are complete.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
