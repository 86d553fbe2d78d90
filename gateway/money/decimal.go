package money

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// decimals is how many digits after the point are understood.
	decimals = 6
	// millionth is the scale of a parsed number.
	millionth = 1_000_000
	// wholeDigits is how many digits before the point are understood.
	wholeDigits = 9
)

// Errors of the parsers.
var (
	// ErrSyntax means that a text is no non-negative decimal in plain notation with at most nine digits before the point and
	// at most six after it.
	ErrSyntax = errors.New("not a decimal number such as 12.5, with at most 9 digits before the point and 6 after it")
	// ErrRange means that an amount is too large to be counted in picounits.
	ErrRange = errors.New("amount too large")
)

// PerMillion returns the price of one thing of which a million cost so much. Nothing is rounded: six digits after the point
// are what picounits can hold. Errors wrap ErrSyntax.
func PerMillion(decimal string) (Amount, error) {
	millionths, err := parse(decimal)
	if err != nil {
		return 0, err
	}
	return Amount(millionths), nil
}

// Units returns an amount that is given in units of the currency. Errors wrap ErrSyntax, or ErrRange from a little over nine
// million units on.
func Units(decimal string) (Amount, error) {
	millionths, err := parse(decimal)
	if err != nil {
		return 0, err
	}
	const scale = int64(Unit) / millionth
	if millionths > int64(Max)/scale {
		return 0, fmt.Errorf("reading %q: %w", decimal, ErrRange)
	}
	return Amount(millionths * scale), nil
}

// parse returns a number in millionths. It is at most 1e15-1.
func parse(decimal string) (int64, error) {
	whole, fraction, point := strings.Cut(decimal, ".")
	if !plainDigits(whole, wholeDigits) || (point && !plainDigits(fraction, decimals)) {
		return 0, fmt.Errorf("reading %q: %w", clip(decimal), ErrSyntax)
	}
	var n int64
	for i := range len(whole) {
		n = n*10 + int64(whole[i]-'0')
	}
	for i := range decimals {
		n *= 10
		if i < len(fraction) {
			n += int64(fraction[i] - '0')
		}
	}
	return n, nil
}

// plainDigits says that s is one to limit digits.
func plainDigits(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// clip keeps errors short.
func clip(s string) string {
	const limit = 32
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "…"
}
