package table

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // Price windows mean the same in an image without zone files.

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
)

// compilePricing compiles the prices of all candidates. A route whose prices cannot be read is served, but has no price.
func (b *build) compilePricing() {
	for _, c := range b.candidates {
		c.priced = b.price(c)
	}
}

// price compiles the prices of one route and says whether it has any.
func (b *build) price(c *candidate) Finding {
	declared := c.object.Spec.Pricing
	if declared == nil {
		return Finding{Object: c.ref, Type: v1alpha1.ConditionPriced, Severity: Info, Reason: v1alpha1.ReasonUnpriced,
			Message: `the route has no price; set pricing, with "0" for a free model`}
	}
	if string(declared.Currency) != b.table.currency {
		p := because(v1alpha1.ReasonCurrencyMismatch, "pricing.currency is %s, but the instance counts in %s; use %s",
			declared.Currency, b.table.currency, b.table.currency)
		c.reject(p)
		return p.finding(c.ref, v1alpha1.ConditionPriced)
	}
	pricing, err := newPricing(declared, b.zones)
	if err != nil {
		return invalid("pricing: %v", err).finding(c.ref, v1alpha1.ConditionPriced)
	}
	c.route.Pricing = pricing
	return holds(c.ref, v1alpha1.ConditionPriced, v1alpha1.ReasonPriced, "priced in "+b.table.currency)
}

// newPricing compiles prices, variants and windows, and makes sure that their products can be counted.
func newPricing(declared *v1alpha1.Pricing, zones zones) (*Pricing, error) {
	base := declare(&declared.Prices)
	p := &Pricing{Currency: string(declared.Currency), Declared: base}
	var err error
	if p.Base, err = base.compile(); err != nil {
		return nil, err
	}
	for i := range declared.Variants {
		v, err := newVariant(&declared.Variants[i], base)
		if err != nil {
			return nil, fmt.Errorf("variants[%s]: %w", declared.Variants[i].Name, err)
		}
		p.Variants = append(p.Variants, v)
	}
	for i := range declared.Windows {
		w, err := newWindow(&declared.Windows[i], zones)
		if err == nil {
			err = p.checkRange(w.Multiplier)
		}
		if err != nil {
			return nil, fmt.Errorf("windows[%s]: %w", declared.Windows[i].Name, err)
		}
		p.Windows = append(p.Windows, w)
	}
	return p, nil
}

// checkRange says that no price becomes too large by a multiplier.
func (p *Pricing) checkRange(m money.Multiplier) error {
	_, ok := p.Base.times(m)
	for i := range p.Variants {
		_, inRange := p.Variants[i].Prices.times(m)
		ok = ok && inRange
	}
	if !ok {
		return fmt.Errorf("multiplier: %w", money.ErrRange)
	}
	return nil
}

// declare keeps prices as they were written.
func declare(p *v1alpha1.Prices) DeclaredPrices {
	return DeclaredPrices{
		InputPerMillionTokens:       string(deref(p.InputPerMillionTokens, "")),
		CachedInputPerMillionTokens: string(deref(p.CachedInputPerMillionTokens, "")),
		CacheWritePerMillionTokens:  string(deref(p.CacheWritePerMillionTokens, "")),
		OutputPerMillionTokens:      string(deref(p.OutputPerMillionTokens, "")),
		PerRequest:                  string(deref(p.PerRequest, "")),
	}
}

// over fills in what d leaves out with what the base says.
func (d DeclaredPrices) over(base DeclaredPrices) DeclaredPrices {
	return DeclaredPrices{
		InputPerMillionTokens:       cmp.Or(d.InputPerMillionTokens, base.InputPerMillionTokens),
		CachedInputPerMillionTokens: cmp.Or(d.CachedInputPerMillionTokens, base.CachedInputPerMillionTokens),
		CacheWritePerMillionTokens:  cmp.Or(d.CacheWritePerMillionTokens, base.CacheWritePerMillionTokens),
		OutputPerMillionTokens:      cmp.Or(d.OutputPerMillionTokens, base.OutputPerMillionTokens),
		PerRequest:                  cmp.Or(d.PerRequest, base.PerRequest),
	}
}

// compile turns decimals into amounts. What stands nowhere is the input price for cached prompts, and zero else.
func (d DeclaredPrices) compile() (Prices, error) {
	var p Prices
	for _, price := range []struct {
		field string
		text  string
		parse func(string) (money.Amount, error)
		into  *money.Amount
	}{
		{"inputPerMillionTokens", d.InputPerMillionTokens, money.PerMillion, &p.Input},
		{"cachedInputPerMillionTokens", cmp.Or(d.CachedInputPerMillionTokens, d.InputPerMillionTokens), money.PerMillion, &p.CachedInput},
		{"cacheWritePerMillionTokens", cmp.Or(d.CacheWritePerMillionTokens, d.InputPerMillionTokens), money.PerMillion, &p.CacheWrite},
		{"outputPerMillionTokens", d.OutputPerMillionTokens, money.PerMillion, &p.Output},
		{"perRequest", d.PerRequest, money.Units, &p.PerRequest},
	} {
		amount, err := price.parse(cmp.Or(price.text, "0"))
		if err != nil {
			return Prices{}, fmt.Errorf("%s: %w", price.field, err)
		}
		*price.into = amount
	}
	return p, nil
}

// newVariant compiles the prices of requests that match.
func newVariant(v *v1alpha1.PriceVariant, base DeclaredPrices) (PriceVariant, error) {
	declared := declare(&v.Prices)
	prices, err := declared.over(base).compile()
	if err != nil {
		return PriceVariant{}, err
	}
	return PriceVariant{
		Name:             v.Name,
		InputTokensAbove: deref(v.When.InputTokensAbove, -1),
		Prices:           prices,
		Declared:         declared,
	}, nil
}

// newWindow compiles a time of the week.
func newWindow(w *v1alpha1.PriceWindow, zones zones) (PriceWindow, error) {
	compiled := PriceWindow{Name: w.Name}
	var err error
	if compiled.Days, err = days(w.Days); err != nil {
		return compiled, err
	}
	if compiled.Start, err = minuteOfDay(w.Start); err != nil {
		return compiled, fmt.Errorf("start: %w", err)
	}
	if compiled.End, err = minuteOfDay(w.End); err != nil {
		return compiled, fmt.Errorf("end: %w", err)
	}
	if compiled.Start == compiled.End || compiled.Start == 24*60 {
		return compiled, fmt.Errorf("start %s and end %s make no window; use 00:00 and 24:00 for a whole day", w.Start, w.End)
	}
	if compiled.Zone, err = zones.load(w.TimeZone); err != nil {
		return compiled, err
	}
	if compiled.Multiplier, err = money.ParseMultiplier(string(w.Multiplier)); err != nil {
		return compiled, fmt.Errorf("multiplier: %w", err)
	}
	return compiled, nil
}

// days returns the weekdays of a list; all of them for an empty one.
func days(list []v1alpha1.Weekday) (set [7]bool, err error) {
	for _, d := range list {
		i := strings.Index("SunMonTueWedThuFriSat", string(d))
		if len(d) != 3 || i < 0 || i%3 != 0 {
			return set, fmt.Errorf("days: %q is none of Mon, Tue, Wed, Thu, Fri, Sat, Sun", d)
		}
		set[i/3] = true
	}
	if len(list) == 0 {
		set = [7]bool{true, true, true, true, true, true, true}
	}
	return set, nil
}

// minuteOfDay reads HH:MM, up to 24:00.
func minuteOfDay(text string) (int, error) {
	if len(text) == 5 && text[2] == ':' {
		hour, errHour := strconv.ParseUint(text[:2], 10, 8)
		minute, errMinute := strconv.ParseUint(text[3:], 10, 8)
		total := int(hour*60 + minute)
		if errHour == nil && errMinute == nil && minute < 60 && total <= 24*60 {
			return total, nil
		}
	}
	return 0, fmt.Errorf("%q is no time of day; use HH:MM", text)
}

// zones caches time zones by name.
type zones map[string]*time.Location

// load returns a time zone; UTC for no name.
func (z zones) load(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if zone := z[name]; zone != nil {
		return zone, nil
	}
	zone, err := time.LoadLocation(name)
	// Local is whatever machine this runs on, which nobody can mean.
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("timeZone %q is not known; use a name such as Asia/Shanghai", name)
	}
	z[name] = zone
	return zone, nil
}
