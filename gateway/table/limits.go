package table

import (
	"cmp"
	"slices"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
)

// Limit is an upper bound. The zero value is none: unlimited. One that is set to zero allows nothing.
type Limit struct {
	// Set says that there is a bound.
	Set bool
	// Value is the bound; zero if there is none.
	Value int64
}

// LimitOf returns a bound.
func LimitOf(value int64) Limit { return Limit{Set: true, Value: value} }

// Lower returns the stricter of two limits.
func (l Limit) Lower(o Limit) Limit {
	if !l.Set || (o.Set && o.Value < l.Value) {
		return o
	}
	return l
}

// compileLimit turns a pointer into a limit.
func compileLimit[N int32 | int64](n *N) Limit {
	if n == nil {
		return Limit{}
	}
	return LimitOf(int64(*n))
}

// pointer is what an API object says of a limit: nil for none.
func (l Limit) pointer() *int64 {
	if !l.Set {
		return nil
	}
	return &l.Value
}

// Limits are bounds of a key or a credential, each for itself.
type Limits struct {
	// RequestsPerMinute is how many requests may begin in a minute.
	RequestsPerMinute Limit
	// TokensPerMinute is how many tokens, of prompts and answers, may be used in a minute. Never set for credentials.
	TokensPerMinute Limit
	// ConcurrentRequests is how many requests may run at the same time.
	ConcurrentRequests Limit
}

// Unlimited says that there is no bound at all.
func (l Limits) Unlimited() bool { return l == Limits{} }

// Lower returns the stricter of each two limits.
func (l Limits) Lower(o Limits) Limits {
	return Limits{
		RequestsPerMinute:  l.RequestsPerMinute.Lower(o.RequestsPerMinute),
		TokensPerMinute:    l.TokensPerMinute.Lower(o.TokensPerMinute),
		ConcurrentRequests: l.ConcurrentRequests.Lower(o.ConcurrentRequests),
	}
}

// compileLimits compiles the limits of a key.
func compileLimits(l *v1alpha1.KeyLimits) Limits {
	if l == nil {
		return Limits{}
	}
	return Limits{
		RequestsPerMinute:  compileLimit(l.RequestsPerMinute),
		TokensPerMinute:    compileLimit(l.TokensPerMinute),
		ConcurrentRequests: compileLimit(l.ConcurrentRequests),
	}
}

// compileCredentialLimits compiles the limits of a credential.
func compileCredentialLimits(l *v1alpha1.CredentialLimits) Limits {
	if l == nil {
		return Limits{}
	}
	return Limits{
		RequestsPerMinute:  compileLimit(l.RequestsPerMinute),
		ConcurrentRequests: compileLimit(l.ConcurrentRequests),
	}
}

// Period is the time after which a budget begins anew, in UTC: Day, Week (from Monday), Month (of the calendar) or Lifetime
// (never).
type Period string

// Periods, from the shortest.
const (
	PeriodDay      = Period(v1alpha1.BudgetPeriodDay)
	PeriodWeek     = Period(v1alpha1.BudgetPeriodWeek)
	PeriodMonth    = Period(v1alpha1.BudgetPeriodMonth)
	PeriodLifetime = Period(v1alpha1.BudgetPeriodLifetime)
)

// Periods returns all periods, from the shortest.
func Periods() []Period { return []Period{PeriodDay, PeriodWeek, PeriodMonth, PeriodLifetime} }

// Budget is what may be spent in a period. A zero Amount allows what is free.
type Budget struct {
	// Amount in picounits of the currency.
	Amount money.Amount
	// Currency of the amount, filled in with that of the instance once its rules were applied.
	Currency string
	// Period after which it begins anew.
	Period Period
}

// compileBudget compiles a budget, calling it by the name of its field. It is nil for none.
func compileBudget(field string, b *v1alpha1.Budget) (*Budget, *Problem) {
	if b == nil {
		return nil, nil
	}
	amount, err := money.Units(string(b.Amount))
	if err != nil {
		return nil, invalid("%s.amount cannot be used: %v", field, err)
	}
	if !slices.Contains(Periods(), Period(b.Period)) {
		return nil, invalid("%s.period is %q; use Day, Week, Month or Lifetime", field, b.Period)
	}
	return &Budget{Amount: amount, Currency: string(b.Currency), Period: Period(b.Period)}, nil
}

// in returns a budget with its currency filled in, or says that it is in another.
func (b *Budget) in(currency, field string) (*Budget, *Problem) {
	if b == nil || b.Currency == currency {
		return b, nil
	}
	if b.Currency != "" {
		return nil, because(v1alpha1.ReasonCurrencyMismatch, "%s.currency is %s, but that of the GatewayInstance is %s; use that one or remove it",
			field, b.Currency, currency)
	}
	filled := *b
	filled.Currency = currency
	return &filled, nil
}

// lowerBudgets returns the budgets that hold if all of the given ones do: of each period the lowest, from the shortest period.
// Nil ones say nothing.
func lowerBudgets(all ...*Budget) []Budget {
	var lowest []Budget
	for _, b := range all {
		if b == nil {
			continue
		}
		i := slices.IndexFunc(lowest, func(o Budget) bool { return o.Period == b.Period })
		switch {
		case i < 0:
			lowest = append(lowest, *b)
		case b.Amount < lowest[i].Amount:
			lowest[i] = *b
		}
	}
	slices.SortFunc(lowest, func(a, b Budget) int {
		return cmp.Compare(slices.Index(Periods(), a.Period), slices.Index(Periods(), b.Period))
	})
	return lowest
}
