// Command layers says where the time of a profile went, by layer: kernel, aio, journal, broker, net, runtime, caller.
//
//	layers CPU-PROFILE            shares of each layer, and its functions with the most
//	layers BEFORE AFTER           both, side by side, and the difference
//
// A sample belongs to one layer, so shares add up to 100 %. It is the kernel's if a system call is at its top, the
// runtime's if the scheduler, collector or a lock is; copying, hashing and the like belong to the package that asked for
// them. With a block profile the values are time spent waiting, and belong to the package that waited.
package main
