package controllers

import (
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// previousRecent is for how long after its last use a rotated-out key counts as in use.
	previousRecent = time.Hour
	// previousGrain is how exactly its last use is told.
	previousGrain = time.Minute
)

// previousUse finds out when the rotated-out key was last used, if there is one. What the status says counts as well: after a start
// it knows more than the reports that were read so far.
func (r *ApiKeyReconciler) previousUse(s *keyScope) {
	status := &s.ak.Status
	if len(status.Hashes) < 2 || s.instance == nil {
		status.PreviousKeyLastUsed = nil
		return
	}
	var last time.Time
	if seen := r.usage.view(client.ObjectKeyFromObject(s.instance)).LastUsed(ledger.PreviousKey(s.ref.Namespace + "/" + s.ref.Name)); !seen.Before(
		s.material.createdAt) {
		last = seen.Truncate(previousGrain)
	}
	// Before it was replaced, another key was the previous one.
	if known := status.PreviousKeyLastUsed; known != nil && known.After(last) && known.Add(previousGrain).After(s.material.createdAt) {
		last = known.Time
	}
	status.PreviousKeyLastUsed = timePtr(last)
}

// previousDetail says whether the rotated-out key is in use, false without one. It stands in the way of nothing. until is when that
// changes by itself, zero for never.
func (s *keyScope) previousDetail() (d detail, until time.Time, ok bool) {
	const kind = v1alpha1.ConditionPreviousKeyInUse
	status := &s.ak.Status
	if len(status.Hashes) < 2 || s.instance == nil {
		return detail{}, time.Time{}, false
	}
	ends := ""
	if end := status.Hashes[1].NotAfter; end != nil {
		ends = "; it is valid until " + formatTime(end.Time)
	}
	last := status.PreviousKeyLastUsed
	if last == nil {
		return failed(kind, table.Info, v1alpha1.ReasonNotUsed, fmt.Sprintf("no request has used the previous key since it was replaced at %s%s",
			formatTime(s.material.createdAt), ends)), time.Time{}, true
	}
	text := fmt.Sprintf("the previous key was last used at %s%s", last.UTC().Format("2006-01-02T15:04Z"), ends)
	if until = last.Add(previousGrain + previousRecent); s.now.Before(until) {
		return held(kind, v1alpha1.ReasonUsed, text), until, true
	}
	return failed(kind, table.Info, v1alpha1.ReasonNotUsedLately, text), time.Time{}, true
}
