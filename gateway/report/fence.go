package report

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
)

// fence makes sure that what a process before this one had sent cannot arrive any more, in the shards of which the journal holds
// entries: it would hold these as well, and they would count twice. It takes the reports over, so that another version of them is
// expected, and makes those that were about to be made. It returns the reports of this replica as they are then.
func (l *Ledger) fence(ctx context.Context, own []v1alpha1.UsageReport) ([]v1alpha1.UsageReport, error) {
	journal := l.opts.Books.Journal()
	if journal == nil {
		return own, nil
	}
	begun := journal.Begun()
	for shard, beyond := range journal.Beyond() {
		if !beyond {
			continue
		}
		for i := range own {
			if int(own[i].Shard) == shard && own[i].Role == v1alpha1.UsageReportLive && own[i].Name != begun[shard] {
				if err := l.takeOver(ctx, &own[i]); err != nil {
					return nil, err
				}
			}
		}
		if begun[shard] == "" {
			continue
		}
		made, err := l.claim(ctx, shard, begun[shard])
		if err != nil {
			return nil, err
		}
		own = append(slices.DeleteFunc(own, func(o v1alpha1.UsageReport) bool { return o.Name == made.Name }), *made)
	}
	return slices.DeleteFunc(own, func(o v1alpha1.UsageReport) bool { return o.UID == "" }), nil
}

// takeOver writes a report as it is, in this process' name. One that is gone loses its UID, one that is sealed cannot be written anyway.
func (l *Ledger) takeOver(ctx context.Context, o *v1alpha1.UsageReport) error {
	for {
		if _, sealed := o.Annotations[v1alpha1.AnnotationSealed]; sealed {
			return nil
		}
		mine := o.DeepCopy()
		if mine.Annotations == nil {
			mine.Annotations = map[string]string{}
		}
		mine.Annotations[v1alpha1.AnnotationWriter] = l.writer
		result, err := l.client.put(ctx, mine)
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			uid := o.UID
			result, err = l.client.get(ctx, o.Name)
			if apierrors.IsNotFound(err) || (err == nil && result.UID != uid) {
				o.UID = ""
				return nil
			}
			if err == nil {
				*o = *result
				continue
			}
		}
		if err != nil {
			return err
		}
		*o = *result
		return nil
	}
}

// claim makes a report that was about to be made, or takes it over if it was.
func (l *Ledger) claim(ctx context.Context, shard int, name string) (*v1alpha1.UsageReport, error) {
	data, _, err := ledger.NewBook().Encode(shard)
	if err != nil {
		return nil, fmt.Errorf("writing shard %d: %w", shard, err)
	}
	made, err := l.client.put(ctx, l.client.object(&slot{name: name}, shard, data, l.writer))
	if !apierrors.IsAlreadyExists(err) {
		return made, err
	}
	if made, err = l.client.get(ctx, name); err != nil {
		return nil, err // it was deleted in between: another look
	}
	return made, l.takeOver(ctx, made)
}
