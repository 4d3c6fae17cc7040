// Package types has the general types of the contract: what may be there or not, and what may have failed.
package types

// Tags of an Option.
const (
	OptionNone uint8 = iota
	OptionSome
)

// Option is a value that may not be there.
type Option[T any] struct {
	some  bool
	value T
}

// Some is an Option with a value.
func Some[T any](value T) Option[T] {
	return Option[T]{some: true, value: value}
}

// None is an Option without one.
func None[T any]() Option[T] {
	return Option[T]{}
}

// Tag is OptionNone or OptionSome.
func (option Option[T]) Tag() uint8 {
	if option.some {
		return OptionSome
	}
	return OptionNone
}

// Some is the value. It panics where there is none.
func (option Option[T]) Some() T {
	if !option.some {
		panic("the option has no value")
	}
	return option.value
}

// Get is the value, and whether there is one.
func (option Option[T]) Get() (T, bool) {
	return option.value, option.some
}

// Tags of a Result.
const (
	ResultOk uint8 = iota
	ResultErr
)

// Result is a value, or why there is none.
type Result[T, E any] struct {
	failed bool
	value  T
	err    E
}

// Ok is a Result with a value.
func Ok[T, E any](value T) Result[T, E] {
	return Result[T, E]{value: value}
}

// Err is a Result without one.
func Err[T, E any](err E) Result[T, E] {
	return Result[T, E]{failed: true, err: err}
}

// Tag is ResultOk or ResultErr.
func (result Result[T, E]) Tag() uint8 {
	if result.failed {
		return ResultErr
	}
	return ResultOk
}

// Ok is the value. It panics where there is none.
func (result Result[T, E]) Ok() T {
	if result.failed {
		panic("the result is an error")
	}
	return result.value
}

// Err is why there is no value. It panics where there is one.
func (result Result[T, E]) Err() E {
	if !result.failed {
		panic("the result is no error")
	}
	return result.err
}
