package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// compileQuiet is how long no event must have come before a compilation, compileCeiling how long one is put off at most.
	compileQuiet   = 50 * time.Millisecond
	compileCeiling = 500 * time.Millisecond
	// compileRetry is when a compilation that could not read something is tried again.
	compileRetry = 2 * time.Second
)

// compiler turns the objects of the cache into compilations. One goroutine owns all of its state but the nudge.
type compiler struct {
	op       *operator
	cache    cache.Cache
	contents *contentStore
	tenures  *tenures
	// states are the last ones of all credentials.
	states map[types.NamespacedName]table.CredentialState
	// redis are the last ones of all instances that have one.
	redis map[types.NamespacedName]table.RedisState
	nudge chan struct{}
}

// newCompiler makes a compiler that reads from a cache.
func newCompiler(op *operator, c cache.Cache) *compiler {
	return &compiler{
		op:       op,
		cache:    c,
		contents: newContentStore(op.Client, op.live),
		tenures:  newTenures(op.clock),
		nudge:    make(chan struct{}, 1),
	}
}

// NeedLeaderElection says that only the leader compiles: the results are written by the leader's controllers.
func (c *compiler) NeedLeaderElection() bool { return true }

// Start compiles until ctx ends.
func (c *compiler) Start(ctx context.Context) error {
	ctx = log.IntoContext(ctx, log.FromContext(ctx).WithName("compiler"))
	if err := c.watch(ctx); err != nil {
		return err
	}
	for c.debounce(ctx) {
		started := time.Now()
		again, err := c.run(ctx)
		c.op.metrics.compile.Observe(time.Since(started).Seconds())
		if err != nil && ctx.Err() == nil {
			c.op.metrics.compileErrors.Inc()
			log.FromContext(ctx).Error(err, "Compilation is incomplete, trying again", "after", compileRetry)
			again = compileRetry
		}
		if again > 0 {
			time.AfterFunc(again, c.poke)
		}
	}
	return nil
}

// run compiles once and keeps a panic of an object that nobody thought of from ending the operator.
func (c *compiler) run(ctx context.Context) (again time.Duration, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("compiling: panic: %v", p)
		}
	}()
	return c.compile(ctx)
}

// poke asks for a compilation. It never blocks.
func (c *compiler) poke() {
	select {
	case c.nudge <- struct{}{}:
	default:
	}
}

// debounce waits for a nudge and then for quiet, and says whether to go on.
func (c *compiler) debounce(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-c.nudge:
	}
	ceiling := time.NewTimer(compileCeiling)
	defer ceiling.Stop()
	quiet := time.NewTimer(compileQuiet)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ceiling.C:
			return true
		case <-quiet.C:
			return true
		case <-c.nudge:
			quiet.Reset(compileQuiet)
		}
	}
}

// watch nudges on every event that can change a compilation, and waits until the cache holds all objects.
func (c *compiler) watch(ctx context.Context) error {
	secret, configMap, namespace := metadataOf("Secret"), metadataOf("ConfigMap"), metadataOf("Namespace")
	watched := []struct {
		obj     client.Object
		matters func(before, after client.Object) bool
	}{
		{&v1alpha1.ModelRoute{}, contentChanged},
		{&v1alpha1.ApiKey{}, contentChanged},
		{&v1alpha1.ProviderCredential{}, contentChanged},
		{&v1alpha1.GatewayInstance{}, contentChanged},
		{secret, c.referenced(kindSecret)},
		{configMap, c.referenced(kindConfigMap)},
	}
	if c.op.opts.WatchNamespaces == nil {
		watched = append(watched, struct {
			obj     client.Object
			matters func(before, after client.Object) bool
		}{namespace, labelsChanged})
	}
	for _, w := range watched {
		informer, err := c.cache.GetInformer(ctx, w.obj)
		if err != nil {
			return fmt.Errorf("watching %T: %w", w.obj, err)
		}
		if _, err := informer.AddEventHandler(nudger{poke: c.poke, matters: w.matters}); err != nil {
			return fmt.Errorf("watching %T: %w", w.obj, err)
		}
	}
	c.poke()
	return nil
}

// metadataOf is an object of a core kind without contents.
func metadataOf(kind string) *metav1.PartialObjectMetadata {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return meta
}

// nudger is an event handler that nudges the compiler. matters gets nil before for new objects, and nil after for gone ones.
type nudger struct {
	poke    func()
	matters func(before, after client.Object) bool
}

var _ toolscache.ResourceEventHandler = nudger{}

// OnAdd implements toolscache.ResourceEventHandler.
func (n nudger) OnAdd(obj any, _ bool) {
	if after, ok := obj.(client.Object); ok && n.matters(nil, after) {
		n.poke()
	}
}

// OnUpdate implements toolscache.ResourceEventHandler.
func (n nudger) OnUpdate(oldObj, newObj any) {
	before, ok1 := oldObj.(client.Object)
	after, ok2 := newObj.(client.Object)
	if ok1 && ok2 && n.matters(before, after) {
		n.poke()
	}
}

// OnDelete implements toolscache.ResourceEventHandler.
func (n nudger) OnDelete(obj any) {
	if gone, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	if before, ok := obj.(client.Object); ok && n.matters(before, nil) {
		n.poke()
	}
}

// contentChanged tells a change of the content from one of the status.
func contentChanged(before, after client.Object) bool {
	return before == nil || after == nil || before.GetUID() != after.GetUID() || tokenOf(before) != tokenOf(after)
}

// labelsChanged tells whether namespaces have to be chosen anew.
func labelsChanged(before, after client.Object) bool {
	return before == nil || after == nil || !maps.Equal(before.GetLabels(), after.GetLabels())
}

// referenced tells whether any credential refers to a Secret or ConfigMap.
func (c *compiler) referenced(kind string) func(before, after client.Object) bool {
	return func(before, after client.Object) bool {
		obj := after
		if obj == nil {
			obj = before
		}
		return c.contents.concerns(contentRef{kind: kind, name: client.ObjectKeyFromObject(obj)})
	}
}

// compile makes and publishes a compilation, wakes whoever is concerned, and returns when the result changes by itself (zero:
// never). With an error, what could be read is compiled all the same.
func (c *compiler) compile(ctx context.Context) (time.Duration, error) {
	in, err := c.load(ctx)
	if err != nil {
		return 0, err
	}
	var unread error
	c.expect(in)
	c.states, unread = c.credentialStates(ctx, in.credentials)
	var unreadRedis error
	c.redis, unreadRedis = c.redisStates(ctx, in.instances)
	in.redis, unread = c.redis, errors.Join(unread, unreadRedis)
	next, again := in.compile(c.op.opts, c.states, c.tenures)
	changed := next.changed(c.op.compiled.current.Load())
	c.op.compiled.current.Store(next)
	log.FromContext(ctx).V(2).Info("Compiled", "routes", len(in.routes), "keys", len(in.keys),
		"credentials", len(in.credentials), "instances", len(in.instances), "changed", len(changed))
	c.op.wake.objects(changed...)
	return again, unread
}

// load lists the objects of the cache. They are shared with it: read only.
func (c *compiler) load(ctx context.Context) (*inputs, error) {
	var (
		routes      v1alpha1.ModelRouteList
		keys        v1alpha1.ApiKeyList
		credentials v1alpha1.ProviderCredentialList
		instances   v1alpha1.GatewayInstanceList
	)
	for _, list := range []client.ObjectList{&routes, &keys, &credentials, &instances} {
		if err := c.op.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing %T: %w", list, err)
		}
	}
	in := &inputs{
		routes:      pointers(routes.Items),
		keys:        pointers(keys.Items),
		credentials: pointers(credentials.Items),
		instances:   pointers(instances.Items),
	}
	slices.SortFunc(in.instances, func(a, b *v1alpha1.GatewayInstance) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	if c.op.opts.WatchNamespaces != nil {
		return in, nil
	}
	namespaces := &metav1.PartialObjectMetadataList{}
	namespaces.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	if err := c.op.List(ctx, namespaces, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing namespaces: %w", err)
	}
	in.namespaces = make(map[string]map[string]string, len(namespaces.Items))
	for i := range namespaces.Items {
		in.namespaces[namespaces.Items[i].Name] = namespaces.Items[i].Labels
	}
	return in, nil
}

// expect says which objects are referred to.
func (c *compiler) expect(in *inputs) {
	refs := map[contentRef]bool{}
	for _, cred := range in.credentials {
		for _, ref := range credentialRefs(cred) {
			refs[ref] = true
		}
	}
	for _, instance := range in.instances {
		for _, ref := range redisRefs(instance) {
			refs[ref] = true
		}
	}
	c.contents.expect(refs)
}

// credentialStates reads what the credentials refer to, which c.contents must expect. A credential whose Secret cannot be read right now keeps its last state,
// or counts as not looked at yet.
func (c *compiler) credentialStates(
	ctx context.Context, credentials []*v1alpha1.ProviderCredential,
) (map[types.NamespacedName]table.CredentialState, error) {
	states := make(map[types.NamespacedName]table.CredentialState, len(credentials))
	read := func(ref contentRef) (map[string][]byte, error) { return c.contents.read(ctx, ref) }
	var unread []error
	for _, cred := range credentials {
		name := client.ObjectKeyFromObject(cred)
		state, err := credentialState(cred, c.op.opts.Providers[cred.Spec.Provider].Entries, read)
		if err != nil {
			unread = append(unread, fmt.Errorf("looking at what ProviderCredential %s refers to: %w", name, err))
			var known bool
			if state, known = c.states[name]; !known {
				state = table.CredentialState{Problem: unreadProblem(cred)}
			}
		}
		states[name] = state
	}
	return states, errors.Join(unread...)
}

// unreadProblem is that of a credential whose Secret nobody could read yet.
func unreadProblem(cred *v1alpha1.ProviderCredential) *table.Problem {
	return &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonReconcileError,
		Message: fmt.Sprintf("what this credential names, Secret %s first, could not be read yet; see the operator's log if this lasts",
			cred.Spec.SecretRef.Name)}
}

// pointers returns pointers to the items of a list.
func pointers[T any](items []T) []*T {
	out := make([]*T, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}
