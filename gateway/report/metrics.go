package report

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of a write, as a label says it.
const (
	outcomeWritten = "written"
	// outcomeConflict is a write that somebody else's came before.
	outcomeConflict = "conflict"
	outcomeFailed   = "failed"
)

// ledgerMetrics say whether what was counted is being written.
type ledgerMetrics struct {
	writes *prometheus.CounterVec
	bytes  prometheus.Counter
	// acknowledged is when the API server last took a report, or when the process began, in Unix nanoseconds.
	acknowledged atomic.Int64
}

// newLedgerMetrics makes the metrics of a ledger and registers them.
func newLedgerMetrics(l *Ledger) *ledgerMetrics {
	m := &ledgerMetrics{
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vipcloud_usage_report_writes_total",
			Help: "Writes of UsageReports, by outcome: written, conflict (somebody else's write came before), failed.",
		}, []string{"outcome"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vipcloud_usage_report_bytes_total", Help: "Bytes of the UsageReports that were sent, without metadata.",
		}),
	}
	m.acknowledged.Store(l.opts.Clock.Now().UnixNano())
	for _, outcome := range []string{outcomeWritten, outcomeConflict, outcomeFailed} {
		m.writes.WithLabelValues(outcome)
	}
	if l.opts.Registry == nil {
		return m
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	l.opts.Registry.MustRegister(m.writes, m.bytes,
		gauge("vipcloud_usage_report_age_seconds", "Time since the API server last took a UsageReport of this replica, or since it began.",
			func() float64 { return l.opts.Clock.Since(time.Unix(0, m.acknowledged.Load())).Seconds() }),
		gauge("vipcloud_usage_unreported_seconds", "For how long the oldest usage waits that no UsageReport holds yet; 0: none waits.",
			func() float64 { return l.unreported().Seconds() }))
	if j := l.opts.Books.Journal(); j != nil {
		l.opts.Registry.MustRegister(
			gauge("vipcloud_usage_journal_bytes", "Size of the journal of usage that is not reported yet.",
				func() float64 { return float64(j.Bytes()) }),
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "vipcloud_usage_journal_skipped_total",
				Help: "Entries that the journal could not take. They are reported all the same, unless the process crashes before.",
			}, func() float64 { return float64(j.Skipped()) }))
	}
	return m
}

// sent notes a write.
func (m *ledgerMetrics) sent(outcome string, size int) {
	m.writes.WithLabelValues(outcome).Inc()
	m.bytes.Add(float64(size))
}

// unreported is for how long the oldest usage waits.
func (l *Ledger) unreported() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var oldest time.Duration
	for i := range l.slots {
		if since := l.slots[i].waiting; !since.IsZero() {
			oldest = max(oldest, l.opts.Clock.Since(since))
		}
	}
	return oldest
}

// wait notes since when shards wait. Ledger.mu is held.
func (l *Ledger) wait(counted []int, now time.Time) {
	for i := range l.slots {
		s := &l.slots[i]
		switch waits := s.pending != nil || slices.Contains(counted, i); {
		case !waits:
			s.waiting = time.Time{}
		case s.waiting.IsZero():
			s.waiting = now
		}
	}
}
