package money_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"regexp"
	"testing"

	"vipcloud.ai/vipcloud/gateway/money"
)

// interesting returns numbers around the edges, and random ones of every size.
func interesting() []int64 {
	numbers := []int64{
		0, 1, -1, 2, 499_999, 500_000, 500_001, 999_999, 1_000_000, 1_500_000, -500_000, -499_999,
		int64(money.Unit), math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1, 1 << 31, 1 << 32, -(1 << 40),
	}
	random := rand.New(rand.NewPCG(1, 2))
	for bits := range 63 {
		n := random.Int64N(int64(1)<<bits + 1)
		numbers = append(numbers, n, -n)
	}
	return numbers
}

// clampBig brings an exact number into the range of amounts.
func clampBig(n *big.Int) (money.Amount, bool) {
	switch {
	case n.IsInt64():
		return money.Amount(n.Int64()), true
	case n.Sign() < 0:
		return money.Min, false
	}
	return money.Max, false
}

func TestAmount_AddAgreesWithBigNumbers(t *testing.T) {
	for _, a := range interesting() {
		for _, b := range interesting() {
			want, wantOK := clampBig(new(big.Int).Add(big.NewInt(a), big.NewInt(b)))
			if got, ok := money.Amount(a).Add(money.Amount(b)); got != want || ok != wantOK {
				t.Fatalf("%d+%d = %d, %t; want %d, %t", a, b, got, ok, want, wantOK)
			}
		}
	}
}

func TestAmount_TimesAgreesWithBigNumbers(t *testing.T) {
	for _, a := range interesting() {
		for _, n := range interesting() {
			want, wantOK := clampBig(new(big.Int).Mul(big.NewInt(a), big.NewInt(n)))
			if got, ok := money.Amount(a).Times(n); got != want || ok != wantOK {
				t.Fatalf("%d*%d = %d, %t; want %d, %t", a, n, got, ok, want, wantOK)
			}
		}
	}
}

// roundedProduct is |a|*m/1e6, rounded half up, with a's sign.
func roundedProduct(a, m int64) *big.Int {
	product := new(big.Int).Mul(new(big.Int).Abs(big.NewInt(a)), big.NewInt(m))
	product.Add(product, big.NewInt(500_000))
	product.Quo(product, big.NewInt(1_000_000))
	if a < 0 {
		product.Neg(product)
	}
	return product
}

func TestMultiplier_MulAgreesWithBigNumbers(t *testing.T) {
	for _, a := range interesting() {
		for _, m := range interesting() {
			if m < 0 {
				continue
			}
			want, wantOK := clampBig(roundedProduct(a, m))
			if got, ok := money.Multiplier(m).Mul(money.Amount(a)); got != want || ok != wantOK {
				t.Fatalf("%d*%d/1e6 = %d, %t; want %d, %t", a, m, got, ok, want, wantOK)
			}
		}
	}
}

func TestMultiplier_Mul(t *testing.T) {
	tests := map[string]struct {
		multiplier string
		amount     money.Amount
		want       money.Amount
		wantOK     bool
	}{
		"one changes nothing":             {"1", 12345, 12345, true},
		"zero makes everything free":      {"0", money.Max, 0, true},
		"a half rounds up":                {"0.5", 3, 2, true},
		"less than a half rounds down":    {"0.333333", 1, 0, true},
		"the smallest factor of a unit":   {"0.000001", money.Unit, 1_000_000, true},
		"an amount that just fits":        {"1", money.Max, money.Max, true},
		"an amount that no longer fits":   {"1.000001", money.Max, money.Max, false},
		"the largest factor of a unit":    {"999999999.999999", money.Unit, money.Max, false},
		"a negative amount ends at Min":   {"2", money.Min, money.Min, false},
		"a negative half rounds away too": {"0.5", -3, -2, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			m, err := money.ParseMultiplier(tc.multiplier)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := m.Mul(tc.amount); got != tc.want || ok != tc.wantOK {
				t.Errorf("got %d, %t; want %d, %t", got, ok, tc.want, tc.wantOK)
			}
		})
	}
	if got, ok := money.Multiplier(-1).Mul(5); got != 0 || !ok {
		t.Errorf("a negative multiplier gives %d, %t; want 0, true", got, ok)
	}
}

func TestParse(t *testing.T) {
	perMillion, units := money.PerMillion, money.Units
	tests := map[string]struct {
		parse   func(string) (money.Amount, error)
		text    string
		want    money.Amount
		wantErr error
	}{
		"a price of a million tokens is exact":  {perMillion, "0.28", 280_000, nil},
		"the smallest price is one picounit":    {perMillion, "0.000001", 1, nil},
		"the largest price":                     {perMillion, "999999999.999999", 999_999_999_999_999, nil},
		"free":                                  {perMillion, "0", 0, nil},
		"leading zeros":                         {perMillion, "000000001.50", 1_500_000, nil},
		"units":                                 {units, "12.5", 12_500_000_000_000, nil},
		"the smallest number of units":          {units, "0.000001", 1_000_000, nil},
		"the largest number of units":           {units, "9223372.036854", 9_223_372_036_854_000_000, nil},
		"more units than can be counted":        {units, "9223372.036855", 0, money.ErrRange},
		"far more units than can be counted":    {units, "999999999", 0, money.ErrRange},
		"nothing":                               {perMillion, "", 0, money.ErrSyntax},
		"only a point":                          {perMillion, ".", 0, money.ErrSyntax},
		"no digit before the point":             {perMillion, ".5", 0, money.ErrSyntax},
		"no digit after the point":              {perMillion, "5.", 0, money.ErrSyntax},
		"two points":                            {perMillion, "1.2.3", 0, money.ErrSyntax},
		"a sign":                                {perMillion, "-1", 0, money.ErrSyntax},
		"a plus":                                {perMillion, "+1", 0, money.ErrSyntax},
		"an exponent":                           {perMillion, "1e3", 0, money.ErrSyntax},
		"a comma":                               {perMillion, "1,5", 0, money.ErrSyntax},
		"a space":                               {perMillion, " 1", 0, money.ErrSyntax},
		"an underscore":                         {units, "1_000", 0, money.ErrSyntax},
		"digits of another script":              {units, "١", 0, money.ErrSyntax},
		"seven digits after the point":          {perMillion, "0.0000001", 0, money.ErrSyntax},
		"ten digits before the point":           {perMillion, "1000000000", 0, money.ErrSyntax},
		"a text that would make a long message": {units, string(make([]byte, 10_000)), 0, money.ErrSyntax},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := tc.parse(tc.text)
			if got != tc.want || !errors.Is(err, tc.wantErr) {
				t.Errorf("got %d, %v; want %d, %v", got, err, tc.want, tc.wantErr)
			}
			if err != nil && len(err.Error()) > 300 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestDecimal(t *testing.T) {
	tests := map[string]struct {
		value fmt.Stringer
		want  string
	}{
		"nothing":                  {money.Amount(0), "0"},
		"a unit":                   {money.Unit, "1"},
		"one picounit":             {money.Amount(1), "0.000000000001"},
		"no trailing zeros":        {money.Unit / 4, "0.25"},
		"zeros within":             {money.Unit + 1, "1.000000000001"},
		"no more digits than held": {money.Max, "9223372.036854775807"},
		"the smallest":             {money.Min, "-9223372.036854775808"},
		"negative":                 {-money.Unit / 2, "-0.5"},
		"a multiplier":             {money.Multiplier(1_500_000), "1.5"},
		"the multiplier one":       {money.One, "1"},
		"the largest multiplier":   {money.Multiplier(999_999_999_999_999), "999999999.999999"},
		"a negative multiplier":    {money.Multiplier(-1), "0"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tc.value.String(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDecimal_IsExact(t *testing.T) {
	for _, n := range interesting() {
		got, ok := new(big.Rat).SetString(money.Amount(n).Decimal())
		want := big.NewRat(n, int64(money.Unit))
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%d picounits print as %s", n, money.Amount(n).Decimal())
		}
	}
}

// The grammar of v1alpha1.Decimal.
const grammar = `^[0-9]{1,9}(\.[0-9]{1,6})?$`

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "0", "0.28", "999999999.999999", "1.", ".1", "1e9", "-1", "1.0000000", "９"} {
		f.Add(seed)
	}
	wellFormed := regexp.MustCompile(grammar)
	f.Fuzz(func(t *testing.T, text string) {
		price, err := money.PerMillion(text)
		if (err == nil) != wellFormed.MatchString(text) {
			t.Fatalf("%q: %v", text, err)
		}
		if err != nil {
			return
		}
		exact, _ := new(big.Rat).SetString(text)
		perUnit := new(big.Rat).Quo(exact, big.NewRat(1_000_000, 1))
		if perUnit.Cmp(big.NewRat(int64(price), int64(money.Unit))) != 0 {
			t.Fatalf("%q for a million gives %d picounits each", text, price)
		}
		m, err := money.ParseMultiplier(text)
		if err != nil || exact.Cmp(big.NewRat(int64(m), int64(money.One))) != 0 {
			t.Fatalf("%q as a multiplier gives %d, %v", text, m, err)
		}
		if again, err := money.ParseMultiplier(m.Decimal()); err != nil || again != m {
			t.Fatalf("%q prints as %q, which reads as %d, %v", text, m.Decimal(), again, err)
		}
		if units, err := money.Units(text); err == nil && exact.Cmp(big.NewRat(int64(units), int64(money.Unit))) != 0 {
			t.Fatalf("%q units give %d picounits", text, units)
		}
	})
}
