package table

import (
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// Prices are amounts for one of what they name; the first four are for tokens.
type Prices struct {
	Input, CachedInput, CacheWrite, Output money.Amount
	PerImage                               money.Amount
	PerSecond, PerVideo                    money.Amount
	PerCharacter                           money.Amount
	PerSong                                money.Amount
	PerRequest                             money.Amount
}

// DeclaredPrices are prices as the admin wrote them, for people to read; empty ones were not written.
type DeclaredPrices struct {
	InputPerMillionTokens       string
	CachedInputPerMillionTokens string
	CacheWritePerMillionTokens  string
	OutputPerMillionTokens      string
	PerImage                    string
	PerSecond                   string
	PerVideo                    string
	PerMillionCharacters        string
	PerSong                     string
	PerRequest                  string
}

// Pricing is what a call costs. Read only.
type Pricing struct {
	// Currency is that of the instance.
	Currency string
	// Base are the prices where no variant and no window matches.
	Base Prices
	// Declared is Base as the admin wrote it.
	Declared DeclaredPrices
	// Variants replace Base; the first match wins.
	Variants []PriceVariant
	// Windows multiply prices; the first match wins.
	Windows []PriceWindow
}

// PriceVariant are the prices of requests that match all conditions. Read only.
type PriceVariant struct {
	Name string
	// InputTokensAbove matches requests with more prompt tokens than this; -1 matches all.
	InputTokensAbove int64
	// Resolution matches videos of it, in lower case such as 720p; empty matches all.
	Resolution string
	// Audio matches videos with or without sound; nil matches all.
	Audio *bool
	// Prices are complete: what the variant leaves out is taken from the base.
	Prices Prices
	// Declared is what the variant itself says.
	Declared DeclaredPrices
}

// PriceWindow multiplies prices at certain times of the week, by the clock on the wall of its zone. Read only.
type PriceWindow struct {
	Name string
	// Days on which the window starts, by time.Weekday.
	Days [7]bool
	// Start and End are minutes of the day, End up to 1440. End before Start is on the next day.
	Start, End int
	// Zone is where the clock hangs.
	Zone *time.Location
	// Multiplier of every price.
	Multiplier money.Multiplier
}

// Query is what the price of a request depends on, besides its time. Zero values stand for what a request does not have.
type Query struct {
	// PromptTokens of a chat.
	PromptTokens int64
	// Resolution of a video, in lower case such as 720p.
	Resolution string
	// Audio says that a video has sound.
	Audio bool
}

// At returns the prices of a request at a time: those of the first matching variant, multiplied by the first matching window.
// A nil Pricing costs nothing.
func (p *Pricing) At(q Query, at time.Time) Prices {
	if p == nil {
		return Prices{}
	}
	prices := p.variant(q)
	for i := range p.Windows {
		if w := &p.Windows[i]; w.Contains(at) {
			multiplied, _ := prices.times(w.Multiplier) // Build refuses products that are out of range.
			return multiplied
		}
	}
	return prices
}

// variant returns the prices of the first variant that matches, or the base.
func (p *Pricing) variant(q Query) Prices {
	for i := range p.Variants {
		if p.Variants[i].matches(q) {
			return p.Variants[i].Prices
		}
	}
	return p.Base
}

// matches says whether all conditions hold.
func (v *PriceVariant) matches(q Query) bool {
	return max(q.PromptTokens, 0) > v.InputTokensAbove &&
		(v.Resolution == "" || v.Resolution == q.Resolution) &&
		(v.Audio == nil || *v.Audio == q.Audio)
}

// Contains says whether a time is within the window. Where a clock is set back, both runs of the repeated hour count; where it
// is set forward, the skipped hour does not exist.
func (w *PriceWindow) Contains(at time.Time) bool {
	local := at.In(w.Zone)
	minute, day := local.Hour()*60+local.Minute(), local.Weekday()
	if w.Start < w.End {
		return w.Days[day] && w.Start <= minute && minute < w.End
	}
	dayBefore := (day + 6) % 7
	return (w.Days[day] && minute >= w.Start) || (w.Days[dayBefore] && minute < w.End)
}

// times multiplies every price. It is false if one of them is out of range.
func (p Prices) times(m money.Multiplier) (Prices, bool) {
	ok := true
	mul := func(a money.Amount) money.Amount {
		product, inRange := m.Mul(a)
		ok = ok && inRange
		return product
	}
	return Prices{
		Input:        mul(p.Input),
		CachedInput:  mul(p.CachedInput),
		CacheWrite:   mul(p.CacheWrite),
		Output:       mul(p.Output),
		PerImage:     mul(p.PerImage),
		PerSecond:    mul(p.PerSecond),
		PerVideo:     mul(p.PerVideo),
		PerCharacter: mul(p.PerCharacter),
		PerSong:      mul(p.PerSong),
		PerRequest:   mul(p.PerRequest),
	}, ok
}
