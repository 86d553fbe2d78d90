package report

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/balance"
)

const (
	// ejectedInterval is how often a replica is asked which targets get no requests.
	ejectedInterval = 500 * time.Millisecond
	// maxEjected bounds status.ejected, as the schema does.
	maxEjected = 256
)

// watchEjected notes which targets get no requests until ctx ends.
func (r *Replica) watchEjected(ctx context.Context) {
	ticker := r.opts.Clock.NewTicker(ejectedInterval)
	defer ticker.Stop()
	for {
		r.noteEjected(ejectedTargets(r.opts.Ejected()))
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

// noteEjected makes a list the one that is reported, unless it is that already.
func (r *Replica) noteEjected(list []v1alpha1.EjectedTarget) {
	r.change(func(s *state) {
		if s.ejected == nil || !equality.Semantic.DeepEqual(*s.ejected, list) {
			s.ejected = &list
		}
	})
}

// ejectedTargets is what a replica reports of targets that get no requests: the first of them, but those that somebody must mend
// before those that time does.
func ejectedTargets(list []balance.Ejection) []v1alpha1.EjectedTarget {
	if len(list) > maxEjected {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b balance.Ejection) int { return int(b.State) - int(a.State) })
		list = list[:maxEjected]
	}
	var targets []v1alpha1.EjectedTarget
	for _, e := range list {
		targets = append(targets, v1alpha1.EjectedTarget{
			Target: e.Target, Credential: e.Credential, Reason: e.Reason.CamelCase(), Since: seconds(e.Since), Until: seconds(e.Until),
		})
	}
	return targets
}

// seconds is a time as a status holds it, nil for none.
func seconds(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.UTC().Truncate(time.Second)}
}
