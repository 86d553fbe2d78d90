package gateway

import (
	"strings"

	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/gateway/usage"
)

// count enters what a request came to into the books.
func (s *Server) count(rec *usage.Record, settled *usage.Settled) {
	if rec.Key == nil || rec.Served == nil || !rec.Called {
		return
	}
	e := ledger.Entry{
		Key: rec.Key.ID(), Reset: rec.Key.Reset, Model: rec.Served.Model, At: s.opts.Now(), Requests: 1, Usage: ledgerUsage(&settled.Usage),
		Cost: settled.Cost, Estimated: settled.Estimated,
	}
	s.saturated(s.books.Settle(&e))
	if sharesBudget(rec.Key) {
		e.Key, e.Reset = spaceOf(rec.Key), ""
		s.saturated(s.books.Settle(&e))
	}
}

// sharesBudget says that what a key spends counts against a budget of its namespace, too.
func sharesBudget(k *table.Key) bool { return k.Rules != nil && k.Rules.NamespaceBudget != nil }

// saturated tells of sums that cannot grow any more.
func (s *Server) saturated(r ledger.Receipt) {
	if r.Saturated {
		s.metrics.Unaccounted(usage.CostOutOfRange)
	}
}

// countJob enters what is known of a job's money into the books.
func (s *Server) countJob(p *payer, job *jobs.Job, event *usage.JobEvent) {
	e := ledger.JobEntry{
		Hash: event.Hash, Key: job.Owner, Reset: p.reset, Model: job.Model, Amount: event.Amount, Usage: ledgerUsage(&event.Usage),
		State: jobStates[event.State], Created: job.CreatedTime(), Deadline: job.DeadlineTime(), Ticket: p.ticket,
	}
	s.countJobEntry(&e)
	if namespace, _, _ := strings.Cut(job.Owner, "/"); p.space != "" {
		e.Hash, e.Key, e.Reset, e.Ticket = p.space, namespace+"/", "", ""
		s.countJobEntry(&e)
	}
	if e.State == ledger.JobReleased && p.key != nil {
		s.limiter.Changed(policyOf(p.key))
	}
}

// countJobEntry enters one entry. A job that nobody should ask about any more is counted already.
func (s *Server) countJobEntry(e *ledger.JobEntry) {
	receipt, err := s.books.Job(e)
	if err != nil {
		s.metrics.Unaccounted(usage.JobLate)
		return
	}
	s.saturated(receipt)
}

// jobStates are the states of a job's money in the ledger.
var jobStates = map[usage.JobState]ledger.JobState{
	usage.JobReserved: ledger.JobReserved, usage.JobReleased: ledger.JobReleased, usage.JobCharged: ledger.JobCharged,
}

// ledgerUsage is usage as the ledger counts it.
func ledgerUsage(u *provider.Usage) ledger.Usage {
	return ledger.Usage{
		PromptTokens: u.PromptTokens, CompletionTokens: u.CompletionTokens, CachedTokens: u.CachedTokens, ReasoningTokens: u.ReasoningTokens,
		CacheWriteTokens: u.CacheWriteTokens, Images: u.Images, Seconds: u.Seconds, Characters: u.Characters, Songs: u.Songs,
	}
}
