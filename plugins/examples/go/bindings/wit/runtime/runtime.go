// Package runtime gives the generated bindings memory that the host may write to and read from.
package runtime

import (
	"runtime"
	"unsafe"
)

// What the host has written arguments to, until the bindings have taken them.
var arguments runtime.Pinner

// Allocate gives memory that stays where it is until the pinner lets go of it. It is aligned to 8 bytes, which is the most
// that the contract asks for.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	memory := unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	pinner.Pin(memory)
	return memory
}

// Unpin lets go of what the arguments of a call were written to.
func Unpin() {
	arguments.Unpin()
}

//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	memory := Allocate(&arguments, size, align)
	if old != nil {
		copy(unsafe.Slice((*byte)(memory), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return memory
}
