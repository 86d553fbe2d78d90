package provider

import (
	"fmt"
	"log/slog"
)

// redacted is what a secret prints as.
const redacted = "[redacted]"

// Secret is a value that must not be seen. Every way of formatting, logging or marshalling it prints a placeholder; only
// Reveal gives the value. Secrets are compared by Equal, not by ==.
//
// The value is behind a pointer, because fmt asks no method of %p and of unexported fields: it prints an address then.
type Secret struct{ value *string }

// NewSecret wraps a value. The empty value gives the zero Secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value, for the one place that sends it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty says that there is no value.
func (s Secret) Empty() bool { return s.value == nil }

// Equal compares values.
func (s Secret) Equal(o Secret) bool { return s.Reveal() == o.Reveal() }

// String returns a placeholder.
func (Secret) String() string { return redacted }

// GoString returns a placeholder.
func (Secret) GoString() string { return redacted }

// Format prints a placeholder for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns a placeholder.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns a placeholder, for JSON and YAML alike.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
