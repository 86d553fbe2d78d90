package controllers

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// waker puts objects into the queue of one controller for reasons that no watch event tells. Before the controller has
// started, waking does nothing: it then looks at every object anyway. It is safe for concurrent use.
type waker struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// source is what the controller watches.
func (w *waker) source() source.Source {
	return source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.queue = queue
		return nil
	})
}

// add queues objects.
func (w *waker) add(names ...types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue == nil {
		return
	}
	for _, name := range names {
		w.queue.Add(reconcile.Request{NamespacedName: name})
	}
}

// wakers are the wakers of all controllers, by kind.
type wakers map[string]*waker

// newWakers makes one for each kind.
func newWakers() wakers {
	return wakers{
		v1alpha1.KindModelRoute:         {},
		v1alpha1.KindApiKey:             {},
		v1alpha1.KindProviderCredential: {},
		v1alpha1.KindGatewayInstance:    {},
		v1alpha1.KindGatewayReplica:     {},
	}
}

// objects wakes the controllers of some objects.
func (w wakers) objects(refs ...table.ObjectRef) {
	for _, ref := range refs {
		w[ref.Kind].add(types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name})
	}
}

// controllerOptions are those of every controller. The limiter backs off for one object from 10 ms to a minute; how many
// requests reach the API server is the client's limit, not the queue's.
func controllerOptions(workers int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](
			10*time.Millisecond, time.Minute),
		ReconciliationTimeout: 30 * time.Second,
	}
}
