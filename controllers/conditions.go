package controllers

import (
	"cmp"
	"slices"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// missingGrace is how long something may be missing before somebody must look: GitOps applies things in any order.
	missingGrace = 60 * time.Second
	// maxMessage bounds the message of a condition, in bytes.
	maxMessage = 1024
	// pending is the severity of a detail that will come right by itself: replicas catch up, objects are being written. It
	// continues the severities of table, which knows no waiting.
	pending table.Severity = -1
)

// detail is a detail condition before it becomes part of a status. Without a kind it only decides what follows.
type detail struct {
	kind     string
	ok       bool
	severity table.Severity
	reason   string
	message  string
}

// held is a detail that holds.
func held(kind, reason, message string) detail {
	return detail{kind: kind, ok: true, reason: reason, message: message}
}

// failed is a detail that does not hold.
func failed(kind string, severity table.Severity, reason, message string) detail {
	return detail{kind: kind, severity: severity, reason: reason, message: message}
}

// fromProblem is a detail that a problem stands in the way of.
func fromProblem(kind string, p *table.Problem) detail {
	return failed(kind, p.Severity, p.Reason, p.Message)
}

// fromFindings turns findings into details.
func fromFindings(findings table.Findings) []detail {
	details := make([]detail, 0, len(findings))
	for _, f := range findings {
		details = append(details, detail{kind: f.Type, ok: f.Status, severity: f.Severity, reason: f.Reason, message: f.Message})
	}
	return details
}

// observation is one completed look at an object.
type observation struct {
	generation int64
	now        time.Time
	// changed is when the present content appeared, zero if unknown. Grace begins anew with it.
	changed time.Time
	// details decide the rest.
	details []detail
	// owned are detail conditions that go when no detail speaks of them.
	owned []string
	// ready is the message of Ready=True.
	ready string
}

// settle writes the details and what follows from them (Ready, and Reconciling or Stalled) into conditions, and returns when to
// look again (zero: no deadline). It keeps conditions that it knows nothing of.
//
// What follows, by the worst detail: Invalid is Stalled; Missing is Reconciling within the grace and Stalled after it; pending
// is Reconciling. Degraded is Ready=False alone: requests are served, so it is neither progress nor a standstill, and kstatus
// reads it as in progress rather than failed.
func (o observation) settle(conditions *[]metav1.Condition) time.Time {
	for _, kind := range o.owned {
		if !slices.ContainsFunc(o.details, func(d detail) bool { return d.kind == kind }) {
			meta.RemoveStatusCondition(conditions, kind)
		}
	}
	for _, d := range o.details {
		if d.kind == "" {
			continue
		}
		o.set(conditions, d.kind, d.ok, d.reason, d.message)
	}
	worst, found := o.worst()
	if !found {
		o.set(conditions, v1alpha1.ConditionReady, true, v1alpha1.ReasonReady, o.ready)
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionReconciling)
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionStalled)
		return time.Time{}
	}
	o.set(conditions, v1alpha1.ConditionReady, false, worst.reason, worst.message)
	abnormal, until := o.abnormal(*conditions, worst)
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if kind == abnormal {
			o.set(conditions, kind, true, worst.reason, worst.message)
		} else {
			meta.RemoveStatusCondition(conditions, kind)
		}
	}
	return until
}

// worst returns the detail that decides, if any stands in the way.
func (o observation) worst() (detail, bool) {
	order := []table.Severity{table.Invalid, table.Missing, pending, table.Degraded}
	rank := func(d detail) int {
		if i := slices.Index(order, d.severity); i >= 0 && !d.ok {
			return i
		}
		return len(order)
	}
	if len(o.details) == 0 {
		return detail{}, false
	}
	worst := slices.MinFunc(o.details, func(a, b detail) int { return cmp.Compare(rank(a), rank(b)) })
	return worst, rank(worst) < len(order)
}

// abnormal returns which abnormal-true condition follows from the worst detail, if any, and when that changes by itself.
func (o observation) abnormal(conditions []metav1.Condition, worst detail) (string, time.Time) {
	switch worst.severity {
	case table.Invalid:
		return v1alpha1.ConditionStalled, time.Time{}
	case pending:
		return v1alpha1.ConditionReconciling, time.Time{}
	case table.Missing:
		since := o.changed
		if c := meta.FindStatusCondition(conditions, cmp.Or(worst.kind, v1alpha1.ConditionReady)); c != nil && c.LastTransitionTime.After(since) {
			since = c.LastTransitionTime.Time
		}
		if until := since.Add(missingGrace); o.now.Before(until) {
			return v1alpha1.ConditionReconciling, until
		}
		return v1alpha1.ConditionStalled, time.Time{}
	default:
		return "", time.Time{}
	}
}

// set writes one condition.
func (o observation) set(conditions *[]metav1.Condition, kind string, ok bool, reason, message string) {
	status := metav1.ConditionFalse
	if ok {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type:               kind,
		Status:             status,
		Reason:             reason,
		Message:            truncate(message),
		ObservedGeneration: o.generation,
		LastTransitionTime: metav1.NewTime(o.now.Truncate(time.Second)),
	})
}

// truncate bounds a message without cutting a character.
func truncate(message string) string { return truncateTo(message, maxMessage) }

// truncateTo bounds a text, in bytes.
func truncateTo(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const ellipsis = "…"
	end := limit - len(ellipsis)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// earliest returns the first of some deadlines, zero ones left out.
func earliest(deadlines ...time.Time) time.Time {
	var first time.Time
	for _, d := range deadlines {
		if !d.IsZero() && (first.IsZero() || d.Before(first)) {
			first = d
		}
	}
	return first
}
