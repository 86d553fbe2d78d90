package usage

import (
	"context"
	"log/slog"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/table"
)

// JobState is what has become of a job's money. A later state of the list wins over an earlier one, and each job counts once,
// whichever replicas report it and how often.
type JobState string

// The states of a job's money.
const (
	JobReserved JobState = "reserved"
	JobReleased JobState = "released"
	JobCharged  JobState = "charged"
)

// Why something may not have been charged as it was, the reasons of vipcloud_usage_unaccounted_total.
const (
	// CostOutOfRange is a cost or a sum that is larger than can be counted; the largest amount stands for it.
	CostOutOfRange = "cost_out_of_range"
	// JobOutcomeUnknown is a job of which nobody can know how it ended; what it had reserved was charged.
	JobOutcomeUnknown = "job_outcome_unknown"
	// JobLate is news of a job that had been folded, which are not counted any more.
	JobLate = "job_late"
)

// JobEvent says what a job costs. Events of one job may be repeated, by several replicas: they are a set keyed by Hash.
type JobEvent struct {
	// Hash names the job.
	Hash string
	// Owner is the ApiKey as namespace/name, Project what it accounts to.
	Owner, Project string
	// Model is the public name of the model that serves.
	Model string
	State JobState
	// Usage is what was made, or is to be made while reserved.
	Usage provider.Usage
	// Amount in Currency; Priced says that it means something.
	Amount   money.Amount
	Currency string
	Priced   bool
	// Deadline is when the job has failed unless it has ended.
	Deadline time.Time
}

// JobCost is what a job costs by the prices that it was made with.
func JobCost(p table.Prices, u provider.Usage, video bool) (money.Amount, bool) {
	return Cost(&table.Pricing{Base: p}, u, Media{Video: video}, time.Time{})
}

// Job accounts for a job: a log line, and its model's cost once it is charged. Route is nil if the model is not served any more.
func (s *Settler) Job(e *JobEvent, route *snapshot.Route) {
	if e.State == JobCharged && e.Priced && route != nil {
		route.Metrics.Cost(float64(e.Amount) / float64(money.Unit)) // a metric, not an account
	}
	buf := []slog.Attr{
		slog.String("job", e.Hash), slog.String("key", e.Owner), slog.String("project", e.Project), slog.String("model", e.Model),
		slog.String("state", string(e.State)),
	}
	buf = appendAmounts(buf, e.Usage)
	if e.Priced {
		buf = append(buf, slog.String("cost", e.Amount.Decimal()), slog.String("currency", e.Currency))
	}
	ctx := context.Background() //nolint:forbidigo // the line must be written although the request's context may have ended
	s.log.LogAttrs(ctx, slog.LevelInfo, "Job charge", buf...)
}
