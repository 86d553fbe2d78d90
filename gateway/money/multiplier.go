package money

import "math/bits"

// Multiplier is a non-negative factor in millionths. Those that ParseMultiplier returns are below 1e15.
type Multiplier int64

// One is the multiplier that changes nothing.
const One Multiplier = millionth

// ParseMultiplier reads a factor such as 0.5 or 2. Errors wrap ErrSyntax.
func ParseMultiplier(decimal string) (Multiplier, error) {
	millionths, err := parse(decimal)
	if err != nil {
		return 0, err
	}
	return Multiplier(millionths), nil
}

// Mul returns an amount times the multiplier, rounded to the nearest picounit, halves away from zero. If that is out of range,
// it returns Max or Min and false. A negative multiplier counts as zero.
func (m Multiplier) Mul(a Amount) (product Amount, ok bool) {
	if m < 0 {
		return 0, true
	}
	high, low := bits.Mul64(magnitude(int64(a)), uint64(m))
	low, carry := bits.Add64(low, millionth/2, 0)
	high += carry
	if high >= millionth {
		return signed(a < 0, 1, 0)
	}
	quotient, _ := bits.Div64(high, low, millionth)
	return signed(a < 0, 0, quotient)
}

// Decimal returns the factor in plain notation, without trailing zeros.
func (m Multiplier) Decimal() string { return plain(uint64(max(m, 0)), millionth) }

// String is Decimal.
func (m Multiplier) String() string { return m.Decimal() }
