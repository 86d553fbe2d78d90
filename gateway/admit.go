package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/gateway/usage"
)

// admit decides whether a key may make a request of a route now that uses this much at most. What is admitted is settled when the
// exchange ends.
func (s *Server) admit(x *exchange, r *snapshot.Route, most provider.Usage, m usage.Media) *openai.Error {
	policy := x.policy()
	ask := quota.Ask{Tokens: most.PromptTokens/2 + min(most.CompletionTokens, expectedTokens)}
	if x.key.HasBudget() {
		if r.Pricing == nil {
			return openai.Unavailable("unpriced", "Model '"+r.Model+"' has no price, so a key with a budget cannot use it.", 0)
		}
		var ok bool
		if ask.Cost, ok = usage.Bound(r, most, m, s.opts.Now()); !ok {
			return openai.InvalidRequest("unsupported_value", "max_tokens", "The request may cost more than can be counted; lower max_tokens.")
		}
	}
	grant, refusal := s.limiter.Admit(x.r.Context(), policy, ask)
	if refusal != nil {
		return x.refused(refusal)
	}
	x.grant = grant
	writeLimits(x.w.Header(), &grant.Status)
	return nil
}

// admitRates decides whether a key may submit another job now, whatever it costs.
func (s *Server) admitRates(x *exchange) *openai.Error {
	policy := x.policy()
	policy.Budgets, policy.SpaceBudgets = nil, nil
	grant, refusal := s.limiter.Admit(x.r.Context(), policy, quota.Ask{})
	if refusal != nil {
		return x.refused(refusal)
	}
	x.grant = grant
	writeLimits(x.w.Header(), &grant.Status)
	return nil
}

// admitJob decides on what a job may cost, which is known exactly before it is submitted. Its rates were decided on before. What is
// admitted is held until the job itself is in the books.
func (s *Server) admitJob(x *exchange, r *snapshot.Route, b provider.Billing) *openai.Error {
	x.jobGrant.Release() // of an attempt that came to nothing
	x.jobGrant = nil
	if !x.key.HasBudget() {
		return nil
	}
	if r.Pricing == nil {
		return openai.Unavailable("unpriced", "Model '"+r.Model+"' has no price, so a key with a budget cannot use it.", 0)
	}
	policy := x.policy()
	policy.RequestsPerMinute, policy.TokensPerMinute, policy.Concurrent = quota.Unlimited, quota.Unlimited, quota.Unlimited
	m := usage.Media{Resolution: b.Resolution, Audio: b.Audio, Video: r.Modality == string(provider.ModalityVideo)}
	cost, ok := usage.Cost(r.Pricing, provider.Usage{Seconds: b.Seconds, Songs: b.Songs}, m, s.opts.Now())
	if !ok {
		return openai.InvalidRequest("unsupported_value", "", "The request may cost more than can be counted.")
	}
	grant, refusal := s.limiter.Admit(x.r.Context(), policy, quota.Ask{Cost: cost})
	if refusal != nil {
		return x.refused(refusal)
	}
	x.jobGrant = grant
	return nil
}

// expectedTokens is what of an answer's possible length counts against a rate of tokens before it is known: counting all of it would
// let a single request without a limit of its own fill any rate.
const expectedTokens = 1024

// policy is what the caller may do.
func (x *exchange) policy() *quota.Policy {
	if x.key.Demo != nil {
		return demoPolicy(x.key, x.client)
	}
	return policyOf(x.key)
}

// policyOf is what a key may do.
func policyOf(k *table.Key) *quota.Policy {
	p := &quota.Policy{
		Owner: k.ID(), Reset: k.Reset, RequestsPerMinute: limitOf(k.Limits.RequestsPerMinute), TokensPerMinute: limitOf(k.Limits.TokensPerMinute),
		Concurrent: limitOf(k.Limits.ConcurrentRequests),
	}
	for i := range k.Budgets {
		p.Budgets = append(p.Budgets, quota.Budget{Amount: k.Budgets[i].Amount, Period: quota.Period(k.Budgets[i].Period)})
	}
	if k.Rules != nil && k.Rules.NamespaceBudget != nil {
		b := k.Rules.NamespaceBudget
		p.Space, p.SpaceBudgets = spaceOf(k), []quota.Budget{{Amount: b.Amount, Period: quota.Period(b.Period)}}
	}
	return p
}

// spaceOf is the owner of what all keys of a namespace spend: no key has an empty name.
func spaceOf(k *table.Key) string { return k.Namespace + "/" }

// limitOf is a limit as quota has it.
func limitOf(l table.Limit) int64 {
	if !l.Set {
		return quota.Unlimited
	}
	return l.Value
}

// refused is what the caller is told.
func (x *exchange) refused(r *quota.Refusal) *openai.Error {
	currency, now := x.server.Table().Currency(), x.server.opts.Now()
	switch r.Reason {
	case quota.RequestsPerMinute, quota.TokensPerMinute, quota.Concurrency:
		writeLimits(x.w.Header(), &r.Status)
	case quota.BudgetExceeded, quota.BudgetContention, quota.Unavailable: // rates were not asked
	}
	switch {
	case x.key.Demo != nil:
		return demoRefused(r, currency, now)
	case r.Space:
		return refused(r, "all keys of this namespace together", currency, now)
	}
	return refused(r, "this key", currency, now)
}

// refused is what a client is told. Whose says who spends the budget.
func refused(r *quota.Refusal, whose, currency string, now time.Time) *openai.Error {
	switch r.Reason {
	case quota.RequestsPerMinute:
	case quota.BudgetExceeded:
		return openai.BudgetExceeded(budgetMessage(r, whose, currency, now))
	case quota.BudgetContention:
		return openai.RateLimited(string(r.Reason), "The rest of the budget is held by requests under way at other replicas; try again.", r.RetryAfter)
	case quota.Unavailable:
		return openai.Unavailable(string(r.Reason), "The limits of this key cannot be checked at the moment; try again shortly.", r.RetryAfter)
	case quota.Concurrency:
		return openai.RateLimited(string(r.Reason), fmt.Sprintf("This key may have %d requests under way at a time.", r.Limit), r.RetryAfter)
	case quota.TokensPerMinute:
		return openai.RateLimited(string(r.Reason), fmt.Sprintf("This key may use %d tokens per minute.", r.Limit), r.RetryAfter)
	}
	return openai.RateLimited(string(r.Reason), fmt.Sprintf("This key may make %d requests per minute.", r.Limit), r.RetryAfter)
}

// budgetMessage names the budget, the amounts, and when it begins anew.
func budgetMessage(r *quota.Refusal, whose, currency string, now time.Time) string {
	text := fmt.Sprintf("The budget of %s (%s %s per %s) does not cover this request: %s %s of it are spent.", whose, decimal(r.Budget.Amount), currency,
		periodWords[r.Budget.Period], decimal(r.Spent), currency)
	if end := r.Budget.Period.End(now); !end.IsZero() {
		return text + " It begins anew at " + end.Format(time.RFC3339) + "."
	}
	return text + " It does not begin anew."
}

// periodWords are the periods in a sentence.
var periodWords = map[quota.Period]string{quota.Day: "day", quota.Week: "week", quota.Month: "month", quota.Lifetime: "lifetime"}

// decimal shows an amount with two digits at least.
func decimal(a money.Amount) string {
	text := a.Decimal()
	dot := -1
	for i := range text {
		if text[i] == '.' {
			dot = i
		}
	}
	switch {
	case dot < 0:
		return text + ".00"
	case len(text)-dot == 2:
		return text + "0"
	}
	return text
}

// writeLimits tells where the limits stand, in OpenAI's headers.
func writeLimits(h http.Header, s *quota.Status) {
	for _, level := range [...]struct {
		name string
		quota.Level
	}{{"Requests", s.Requests}, {"Tokens", s.Tokens}} {
		if level.Limit == quota.Unlimited {
			continue
		}
		h.Set("X-Ratelimit-Limit-"+level.name, strconv.FormatInt(level.Limit, 10))
		h.Set("X-Ratelimit-Remaining-"+level.name, strconv.FormatInt(level.Remaining, 10))
		h.Set("X-Ratelimit-Reset-"+level.name, level.Reset.Round(time.Millisecond).String())
	}
}
