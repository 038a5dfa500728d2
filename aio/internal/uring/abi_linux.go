package uring

import "golang.org/x/sys/unix"

// Numbers of the kernel's interface (include/uapi/linux/io_uring.h); x/sys has the system calls only.
const (
	opNop   = 0
	opFsync = 3
	opRead  = 22
	opWrite = 23

	fsyncDatasync = 1 << 0

	setupSubmitAll = 1 << 7

	enterGetEvents = 1 << 0

	featSingleMmap = 1 << 0
	featNoDrop     = 1 << 1

	registerProbe  = 8
	probeSupported = 1 << 0

	offsetRings = 0
	offsetSQEs  = 0x10000000
)

// sqe is a submission, 64 bytes.
type sqe struct {
	opcode      uint8
	flags       uint8
	ioprio      uint16
	fd          int32
	off         uint64
	addr        uint64
	length      uint32
	opFlags     uint32
	user        uint64
	bufIndex    uint16
	personality uint16
	spliceFd    int32
	addr3       uint64
	_           uint64
}

// cqe is a completion, 16 bytes.
type cqe struct {
	user  uint64
	res   int32
	flags uint32
}

type sqOffsets struct {
	head, tail, mask, entries, flags, dropped, array, _ uint32
	userAddr                                            uint64
}

type cqOffsets struct {
	head, tail, mask, entries, overflow, cqes, flags, _ uint32
	userAddr                                            uint64
}

// params is what setup takes and returns, 120 bytes.
type params struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFd uint32
	_                                                                      [3]uint32
	sq                                                                     sqOffsets
	cq                                                                     cqOffsets
}

type probeOp struct {
	op, _ uint8
	flags uint16
	_     uint32
}

type probe struct {
	lastOp, opsLen uint8
	_              uint16
	_              [3]uint32
	ops            [256]probeOp
}

const (
	sysSetup    = unix.SYS_IO_URING_SETUP
	sysEnter    = unix.SYS_IO_URING_ENTER
	sysRegister = unix.SYS_IO_URING_REGISTER
)
