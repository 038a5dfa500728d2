package main

import "strings"

// order in which layers are printed, from the disk upwards.
var order = [...]string{"kernel", "aio", "journal", "broker", "net", "runtime", "caller"}

const module = "github.com/hindmq/hind/"

// place says which layer a stack belongs to, and which of its functions is named for it.
func place(stack []string) (layer, function string) {
	if len(stack) == 0 {
		return "runtime", "unknown"
	}
	switch top := stack[0]; {
	case isCall(top):
		return "kernel", caller(stack)
	case strings.HasPrefix(top, "runtime.") && !isWork(top) && !waits(stack):
		return "runtime", top
	}
	for _, name := range stack {
		if layer := layerOf(name); layer != "" {
			return layer, name
		}
	}
	if strings.HasPrefix(stack[0], "runtime.") {
		return "runtime", stack[0]
	}
	return "caller", stack[0]
}

// isCall says that the function is the instruction that enters the kernel.
func isCall(name string) bool {
	return strings.HasPrefix(name, "internal/runtime/syscall") || strings.HasPrefix(name, "syscall.Syscall") ||
		strings.HasPrefix(name, "syscall.RawSyscall") || strings.HasPrefix(name, "syscall.rawSyscall") ||
		name == "runtime.futex" || name == "runtime.epollwait" || name == "runtime.usleep"
}

// isWork says that the runtime does there what a package asked for.
func isWork(name string) bool {
	return strings.HasPrefix(name, "runtime.mem") || strings.HasPrefix(name, "runtime.map") || strings.HasPrefix(name, "runtime.slice")
}

// waits says that the stack is of a block profile: those begin at what waited.
func waits(stack []string) bool {
	switch stack[0] {
	case "runtime.chanrecv1", "runtime.chanrecv2", "runtime.chansend1", "runtime.selectgo", "runtime.selectnbrecv":
		return true
	}
	return false
}

// caller is the lowest function of ours that led to the system call, or the one of the runtime.
func caller(stack []string) string {
	for _, name := range stack {
		if layerOf(name) != "" {
			return name
		}
	}
	return stack[0]
}

// layerOf is the layer of a function of ours or of the event loops; nothing for all others.
func layerOf(name string) string {
	if strings.HasPrefix(name, "github.com/panjf2000/gnet") {
		return "net"
	}
	if strings.HasPrefix(name, "main.") {
		return "caller"
	}
	path, ok := strings.CutPrefix(name, module)
	if !ok {
		return ""
	}
	for _, layer := range [...]string{"aio", "journal", "broker", "net"} {
		if strings.HasPrefix(path, layer+"/") || strings.HasPrefix(path, layer+".") {
			return layer
		}
	}
	return "caller"
}
