package minimaxmedia

import (
	"cmp"
	"fmt"
	"slices"
)

// invalid is the refusal of a parameter.
func invalid(format string, args ...any) *refusal {
	return &refusal{code: 2013, text: "invalid params, " + fmt.Sprintf(format, args...)}
}

// first returns the first refusal among several, or nil.
func first(refusals ...*refusal) *refusal {
	for _, p := range refusals {
		if p != nil {
			return p
		}
	}
	return nil
}

// unless refuses with a message if the condition does not hold.
func unless(ok bool, format string, args ...any) *refusal {
	if ok {
		return nil
	}
	return invalid(format, args...)
}

// within refuses a value outside [lo, hi]; nil is no value.
func within[T cmp.Ordered](name string, v *T, lo, hi T) *refusal {
	return unless(v == nil || *v >= lo && *v <= hi, "%s must be between %v and %v", name, lo, hi)
}

// oneOf refuses any other value; nil is no value.
func oneOf[T comparable](name string, v *T, allowed ...T) *refusal {
	return unless(v == nil || slices.Contains(allowed, *v), "%s must be one of %v", name, allowed)
}

// or returns the value, or what holds without one.
func or[T any](v *T, unset T) T {
	if v == nil {
		return unset
	}
	return *v
}
