package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// sweepEvery is how often leftovers are looked for when no event tells of any.
const sweepEvery = time.Hour

// sweeper deletes what cannot carry an owner reference once its instance is gone: when one is deleted, at start and hourly.
type sweeper struct {
	op    *operator
	cache cache.Cache
	nudge chan struct{}
}

// newSweeper makes a sweeper that hears of deletions through a cache.
func newSweeper(op *operator, c cache.Cache) *sweeper {
	return &sweeper{op: op, cache: c, nudge: make(chan struct{}, 1)}
}

// NeedLeaderElection says that only the leader deletes.
func (s *sweeper) NeedLeaderElection() bool { return true }

// Start sweeps until ctx ends.
func (s *sweeper) Start(ctx context.Context) error {
	ctx = log.IntoContext(ctx, log.FromContext(ctx).WithName("sweeper"))
	informer, err := s.cache.GetInformer(ctx, &v1alpha1.GatewayInstance{})
	if err != nil {
		return fmt.Errorf("watching GatewayInstances: %w", err)
	}
	deleted := func(_, after client.Object) bool { return after == nil }
	if _, err := informer.AddEventHandler(nudger{poke: s.poke, matters: deleted}); err != nil {
		return fmt.Errorf("watching GatewayInstances: %w", err)
	}
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "Sweeping is incomplete, trying again", "after", compileRetry)
			time.AfterFunc(compileRetry, s.poke)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.nudge:
		case <-ticker.C:
		}
	}
}

// poke asks for a sweep. It never blocks.
func (s *sweeper) poke() {
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}

// sweep deletes the leftovers of instances that are gone.
func (s *sweeper) sweep(ctx context.Context) error {
	bindings, err := s.op.bindings(ctx, client.HasLabels{v1alpha1.LabelInstanceUID})
	if err != nil {
		return err
	}
	for _, b := range bindings {
		orphaned, err := s.orphaned(ctx, b)
		if err != nil {
			return err
		}
		if !orphaned {
			continue
		}
		log.FromContext(ctx).Info("Deleting a binding whose instance is gone", "binding", objectKey(b))
		uid := b.GetUID()
		if err := s.op.Delete(ctx, b, client.Preconditions{UID: &uid}); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting binding %q: %w", b.GetName(), err)
		}
	}
	return nil
}

// orphaned says whether the instance that an object is labelled with is gone. The API server is asked, because an instance that
// the cache does not know yet must not lose its rights. Instances of namespaces that are not watched are another operator's.
func (s *sweeper) orphaned(ctx context.Context, obj client.Object) (bool, error) {
	labels := obj.GetLabels()
	name := types.NamespacedName{Namespace: labels[v1alpha1.LabelInstanceNamespace], Name: labels[v1alpha1.LabelInstance]}
	if name.Namespace == "" || name.Name == "" {
		return false, nil
	}
	if watched := s.op.opts.WatchNamespaces; watched != nil && !slices.Contains(watched, name.Namespace) {
		return false, nil
	}
	instance := &v1alpha1.GatewayInstance{}
	err := s.op.live.Get(ctx, name, instance)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading GatewayInstance %s: %w", name, err)
	}
	return string(instance.UID) != labels[v1alpha1.LabelInstanceUID], nil
}
