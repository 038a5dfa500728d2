//go:build !linux

package demo

import "syscall"

// childAttr: no other system has a signal for the death of a parent; the ways out of Run end the children.
func childAttr() *syscall.SysProcAttr { return nil }
