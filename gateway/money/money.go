// Package money counts amounts of a currency in integers, so that no price, cost or sum is ever rounded by a float. It knows
// no currencies and no rates: which currency an amount is in is for its callers to remember.
package money

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Amount is money in picounits: 1e-12 of a currency's unit. An int64 of them reaches a little over nine million units.
type Amount int64

const (
	// Unit is one whole unit of a currency, such as a dollar.
	Unit Amount = 1e12
	// Max is the largest amount, where sums and products that are too large end.
	Max Amount = math.MaxInt64
	// Min is the smallest amount, where sums and products that are too small end.
	Min Amount = math.MinInt64
)

// Add returns a+b. If that is out of range, it returns Max or Min and false.
func (a Amount) Add(b Amount) (sum Amount, ok bool) {
	sum = a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return Max, false
	case a < 0 && b < 0 && sum >= 0:
		return Min, false
	}
	return sum, true
}

// Times returns a price for n things, such as tokens. If that is out of range, it returns Max or Min and false.
func (a Amount) Times(n int64) (product Amount, ok bool) {
	high, low := bits.Mul64(magnitude(int64(a)), magnitude(n))
	return signed((a < 0) != (n < 0), high, low)
}

// Decimal returns the amount in units of the currency in plain notation, without trailing zeros: 0.00000028, -12.5, 0.
func (a Amount) Decimal() string {
	text := plain(magnitude(int64(a)), uint64(Unit))
	if a < 0 {
		return "-" + text
	}
	return text
}

// String is Decimal.
func (a Amount) String() string { return a.Decimal() }

// plain prints n/scale, where scale is a power of ten, without trailing zeros.
func plain(n, scale uint64) string {
	text := strconv.FormatUint(n/scale, 10)
	if n%scale == 0 {
		return text
	}
	// The leading one keeps the zeros after the point, and its place is that of the point.
	fraction := strconv.FormatUint(n%scale+scale, 10)[1:]
	return text + "." + strings.TrimRight(fraction, "0")
}

// magnitude is the absolute value, also of the smallest integer.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// signed makes an amount of a sign and 128 bits, ending at Max and Min.
func signed(negative bool, high, low uint64) (Amount, bool) {
	switch {
	case negative && (high != 0 || low > 1<<63):
		return Min, false
	case negative:
		return Amount(-low), true
	case high != 0 || low > math.MaxInt64:
		return Max, false
	}
	return Amount(low), true
}
