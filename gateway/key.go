package gateway

import (
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/table"
)

// getKey serves GET /v1/key: what the caller's own key may do, and what it has spent.
func (s *Server) getKey(x *exchange) *openai.Error {
	now, k, scope := s.opts.Now(), x.key, "key"
	if k.Demo != nil {
		scope = "demo"
	}
	doc := openai.Key{
		Object: "key", Name: k.ID(), Project: k.Project, Prefix: k.Prefix, Currency: s.Table().Currency(),
		Limits: openai.KeyLimits{
			RequestsPerMinute: limitDocument(k.Limits.RequestsPerMinute), TokensPerMinute: limitDocument(k.Limits.TokensPerMinute),
			ConcurrentRequests: limitDocument(k.Limits.ConcurrentRequests),
		},
		Spend: map[string]string{}, Budgets: []openai.KeyBudget{},
	}
	if !k.ExpiresAt.IsZero() {
		doc.ExpiresAt = k.ExpiresAt.Unix()
	}
	for _, period := range []quota.Period{quota.Day, quota.Week, quota.Month, quota.Lifetime} {
		doc.Spend[periodWords[period]] = decimal(s.books.Total(k.ID(), k.Reset, period, now))
	}
	for i := range k.Budgets {
		doc.Budgets = append(doc.Budgets, s.budgetDocument(&k.Budgets[i], k.ID(), k.Reset, scope, now))
	}
	if k.Rules != nil && k.Rules.NamespaceBudget != nil {
		doc.Budgets = append(doc.Budgets, s.budgetDocument(k.Rules.NamespaceBudget, spaceOf(k), "", "namespace", now))
	}
	x.w.Header().Set("Cache-Control", "no-store")
	return x.writeJSON(doc)
}

// budgetDocument is where a budget stands.
func (s *Server) budgetDocument(b *table.Budget, owner, reset, scope string, now time.Time) openai.KeyBudget {
	period := quota.Period(b.Period)
	spent := s.books.Total(owner, reset, period, now)
	doc := openai.KeyBudget{
		Scope: scope, Period: periodWords[period], Amount: decimal(b.Amount), Spent: decimal(spent), Remaining: decimal(max(b.Amount-spent, 0)),
	}
	if end := period.End(now); !end.IsZero() {
		doc.ResetsAt = end.Unix()
	}
	return doc
}

// limitDocument is a limit; nil for none, which becomes null.
func limitDocument(l table.Limit) *int64 {
	if !l.Set {
		return nil
	}
	return &l.Value
}

// maxUsageDays is how far back usage is kept.
const maxUsageDays = 35

// getKeyUsage serves GET /v1/key/usage: what the caller's own key has used by day and model.
func (s *Server) getKeyUsage(x *exchange) *openai.Error {
	days := maxUsageDays
	if text := x.r.URL.Query().Get("days"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxUsageDays {
			return openai.InvalidRequest("unsupported_value", "days", "days must be between 1 and %d.", maxUsageDays)
		}
		days = n
	}
	from := s.opts.Now().UTC().AddDate(0, 0, 1-days)
	list := openai.KeyUsageList{Object: "list", Currency: s.Table().Currency(), Data: []openai.KeyUsage{}}
	for _, row := range s.books.View.History(x.key.ID(), from).Rows {
		u := &row.Usage
		list.Data = append(list.Data, openai.KeyUsage{
			Date: row.Day.Format(time.DateOnly), Model: row.Model, Requests: row.Requests, Estimated: row.Estimated, PromptTokens: u.PromptTokens,
			CachedTokens: u.CachedTokens, CompletionTokens: u.CompletionTokens, ReasoningTokens: u.ReasoningTokens, Images: u.Images,
			Seconds: u.Seconds, Characters: u.Characters, Songs: u.Songs, Cost: costDocument(row.Cost),
		})
	}
	x.w.Header().Set("Cache-Control", "no-store")
	return x.writeJSON(list)
}

// costDocument is an amount as a decimal.
func costDocument(a money.Amount) string { return a.Decimal() }
