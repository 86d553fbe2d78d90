package table

import (
	"cmp"
	"fmt"

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
	pricing, err := newPricing(declared, v1alpha1.Modality(c.route.Modality), b.zones)
	if err != nil {
		return invalid("pricing: %v", err).finding(c.ref, v1alpha1.ConditionPriced)
	}
	c.route.Pricing = pricing
	return holds(c.ref, v1alpha1.ConditionPriced, v1alpha1.ReasonPriced, "priced in "+b.table.currency)
}

// newPricing compiles prices, variants and windows, and makes sure that their products can be counted.
func newPricing(declared *v1alpha1.Pricing, modality v1alpha1.Modality, zones zones) (*Pricing, error) {
	base := declare(&declared.Prices)
	p := &Pricing{Currency: string(declared.Currency), Declared: base}
	if err := base.fit(modality); err != nil {
		return nil, err
	}
	var err error
	if p.Base, err = base.compile(); err != nil {
		return nil, err
	}
	for i := range declared.Variants {
		v, err := newVariant(&declared.Variants[i], base, modality)
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
		PerImage:                    string(deref(p.PerImage, "")),
		PerSecond:                   string(deref(p.PerSecond, "")),
		PerVideo:                    string(deref(p.PerVideo, "")),
		PerMillionCharacters:        string(deref(p.PerMillionCharacters, "")),
		PerSong:                     string(deref(p.PerSong, "")),
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
		PerImage:                    cmp.Or(d.PerImage, base.PerImage),
		PerSecond:                   cmp.Or(d.PerSecond, base.PerSecond),
		PerVideo:                    cmp.Or(d.PerVideo, base.PerVideo),
		PerMillionCharacters:        cmp.Or(d.PerMillionCharacters, base.PerMillionCharacters),
		PerSong:                     cmp.Or(d.PerSong, base.PerSong),
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
		{"perImage", d.PerImage, money.Units, &p.PerImage},
		{"perSecond", d.PerSecond, money.Units, &p.PerSecond},
		{"perVideo", d.PerVideo, money.Units, &p.PerVideo},
		{"perMillionCharacters", d.PerMillionCharacters, money.PerMillion, &p.PerCharacter},
		{"perSong", d.PerSong, money.Units, &p.PerSong},
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
func newVariant(v *v1alpha1.PriceVariant, base DeclaredPrices, modality v1alpha1.Modality) (PriceVariant, error) {
	declared := declare(&v.Prices)
	if err := declared.fit(modality); err != nil {
		return PriceVariant{}, err
	}
	if err := fitCondition(&v.When, modality); err != nil {
		return PriceVariant{}, err
	}
	prices, err := declared.over(base).compile()
	if err != nil {
		return PriceVariant{}, err
	}
	return PriceVariant{
		Name:             v.Name,
		InputTokensAbove: deref(v.When.InputTokensAbove, -1),
		Resolution:       v.When.Resolution,
		Audio:            clone(v.When.Audio),
		Prices:           prices,
		Declared:         declared,
	}, nil
}
