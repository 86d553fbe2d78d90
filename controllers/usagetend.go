package controllers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
)

const (
	// mergedKept is how long an archive remembers that it holds a report that is gone: a replica that was cut off for less can tell
	// that its report was merged. Beyond mergedMost only those are remembered that are not gone.
	mergedKept = 24 * time.Hour
	mergedMost = 512
	// usageKept is how long after its last use the usage of a key is kept that does not exist any more. It is longer than any period of
	// a budget but a lifetime, so that nobody gets a new budget by making a key again.
	usageKept = 90 * 24 * time.Hour
)

// tend folds jobs that are long over into counters and forgets merged reports that are gone, once an hour.
func (r *UsageReportReconciler) tend(ctx context.Context, ref archiveRef) error {
	r.mu.Lock()
	fresh := r.clock.Since(r.tended[ref]) < tendEvery-time.Minute
	r.mu.Unlock()
	if fresh {
		return nil
	}
	archive, err := r.readArchive(ctx, ref)
	if err != nil {
		return err
	}
	lives, err := r.livesOf(ctx, ref)
	if err != nil {
		return err
	}
	folded := archive.Fold(lives, r.clock.Now())
	forgotten := archive.Gone(archive.old(lives, r.clock.Now())...)
	keys := r.forgetKeys(ctx, archive)
	if archive.object.UID != "" || folded != (ledger.Folded{}) {
		if err := r.writeIfChanged(ctx, archive, forgotten); err != nil {
			return err
		}
	}
	if keys > 0 {
		ctrl.LoggerFrom(ctx).Info("Forgot the usage of keys that were deleted long ago", "instance", ref.instance.String(), "keys", keys)
	}
	unaccounted.WithLabelValues(outcomeUnknown).Add(float64(folded.Unknown))
	if folded.Unknown > 0 {
		ctrl.LoggerFrom(ctx).Info("Jobs were charged of which nobody knows how they ended", "instance", ref.instance.String(),
			"jobs", folded.Unknown, "amount", folded.UnknownAmount.Decimal())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tended[ref] = r.clock.Now()
	return nil
}

// forgetKeys forgets keys that were not used for long and do not exist any more, and returns how many. One of which that is not certain stays.
func (r *UsageReportReconciler) forgetKeys(ctx context.Context, f *archiveFile) (forgotten int) {
	for _, key := range f.Idle(r.clock.Now().Add(-usageKept)) {
		if r.keyGone(ctx, key) && f.Forget(key) {
			forgotten++
		}
	}
	return forgotten
}

// keyGone says whether there is certainly no ApiKey that usage is of. What all keys of a namespace used together has none at all.
func (r *UsageReportReconciler) keyGone(ctx context.Context, key string) bool {
	namespace, name, _ := strings.Cut(key, "/")
	if namespace == "" || name == "" {
		return true
	}
	for _, from := range []client.Reader{r.Client, r.live} { // the cache may be behind
		err := from.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &v1alpha1.ApiKey{})
		if !apierrors.IsNotFound(err) {
			return false
		}
	}
	return true
}

// writeIfChanged writes an archive unless it says what it said.
func (r *UsageReportReconciler) writeIfChanged(ctx context.Context, f *archiveFile, changed bool) error {
	data, err := f.Encode()
	if err == nil && !changed && string(data) == string(f.object.Report.Raw) {
		return nil
	}
	return r.writeArchive(ctx, f)
}

// livesOf reads all live reports of a shard as they are now. One that cannot be read is an error: what it holds must not be folded
// without it.
func (r *UsageReportReconciler) livesOf(ctx context.Context, ref archiveRef) ([]ledger.Live, error) {
	list := &v1alpha1.UsageReportList{}
	err := r.live.List(ctx, list, client.InNamespace(ref.instance.Namespace), client.MatchingLabels{
		v1alpha1.LabelInstance: ref.instance.Name, v1alpha1.LabelShard: strconv.Itoa(ref.shard)})
	if err != nil {
		return nil, fmt.Errorf("listing UsageReports of shard %d: %w", ref.shard, err)
	}
	var lives []ledger.Live
	for i := range list.Items {
		o := &list.Items[i]
		if o.Role != v1alpha1.UsageReportLive || int(o.Shard) != ref.shard || string(o.Gateway) != ref.instance.Name {
			continue
		}
		page, err := pageOf(o)
		if err != nil {
			return nil, err
		}
		lives = append(lives, ledger.Live{UID: string(o.UID), Page: page})
	}
	return lives, nil
}

// old are the merged reports that are gone and need not be remembered.
func (f *archiveFile) old(lives []ledger.Live, now time.Time) []string {
	merged := f.Merged()
	many := len(merged) > mergedMost
	return slices.DeleteFunc(merged, func(uid string) bool {
		if slices.ContainsFunc(lives, func(l ledger.Live) bool { return l.UID == uid }) {
			return true
		}
		return !many && now.Sub(time.Unix(f.entries[uid][1], 0)) < mergedKept
	})
}
