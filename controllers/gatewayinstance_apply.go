package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/table"
)

// conflictRetry is when to look again whether an object that is not ours has gone: nothing tells.
const conflictRetry = 30 * time.Second

// appliedObject is what was last applied, and the version that came of it.
type appliedObject struct {
	digest  [sha256.Size]byte
	version string
}

// appliedObjects remembers what was applied, so that nothing is applied twice over what has not changed. It is safe for
// concurrent use.
type appliedObjects struct {
	mu    sync.Mutex
	byUID map[types.UID]appliedObject
}

// newAppliedObjects makes an empty memory.
func newAppliedObjects() *appliedObjects {
	return &appliedObjects{byUID: map[types.UID]appliedObject{}}
}

// holds says whether exactly this was applied to an object, which has not changed since.
func (a *appliedObjects) holds(uid types.UID, o appliedObject) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byUID[uid] == o
}

// put remembers what was applied to an object.
func (a *appliedObjects) put(uid types.UID, o appliedObject) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byUID[uid] = o
}

// drop forgets an object.
func (a *appliedObjects) drop(uid types.UID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.byUID, uid)
}

// ensure applies an object unless it is as it should be. An object of that name that is not ours is left alone, which is the
// problem that is returned.
func (r *GatewayInstanceReconciler) ensure(
	ctx context.Context, instance *v1alpha1.GatewayInstance, obj client.Object,
) (*table.Problem, error) {
	kind := obj.GetObjectKind().GroupVersionKind().Kind
	current, err := r.current(ctx, obj)
	if err != nil {
		return nil, fmt.Errorf("reading %s %q: %w", kind, obj.GetName(), err)
	}
	if p := foreign(instance, kind, current); p != nil {
		return p, nil
	}
	manifest, err := render.Manifest(obj)
	if err != nil {
		return nil, err
	}
	version := manifest.GetResourceVersion() // what is applied may be true of one version alone
	unstructured.RemoveNestedField(manifest.Object, "metadata", "resourceVersion")
	text, err := json.Marshal(manifest)
	if err != nil {
		return nil, fmt.Errorf("encoding %s %q: %w", kind, obj.GetName(), err)
	}
	wanted := appliedObject{digest: sha256.Sum256(text)}
	opts := []client.ApplyOption{client.FieldOwner(operatorName)}
	if current != nil {
		wanted.version = current.GetResourceVersion()
		if r.applied.holds(current.GetUID(), wanted) {
			return nil, nil
		}
		// Force only over what is known to be ours: an object that somebody creates in this moment makes a conflict instead.
		opts = append(opts, client.ForceOwnership)
	}
	manifest.SetResourceVersion(version)
	if err := r.Apply(ctx, client.ApplyConfigurationFromUnstructured(manifest), opts...); err != nil {
		return nil, fmt.Errorf("applying %s %q: %w", kind, obj.GetName(), err)
	}
	wanted.version = manifest.GetResourceVersion()
	r.applied.put(manifest.GetUID(), wanted)
	return nil, nil
}

// current returns an object as it is, nil if there is none. The cache has only what carries the operator's label; what it
// lacks is asked of the API server.
func (r *GatewayInstanceReconciler) current(ctx context.Context, obj client.Object) (client.Object, error) {
	found := reflect.New(reflect.TypeOf(obj).Elem()).Interface().(client.Object)
	if u, ok := found.(*unstructured.Unstructured); ok {
		u.SetGroupVersionKind(obj.GetObjectKind().GroupVersionKind())
	}
	err := r.Get(ctx, client.ObjectKeyFromObject(obj), found)
	if apierrors.IsNotFound(err) {
		err = r.live.Get(ctx, client.ObjectKeyFromObject(obj), found)
	}
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

// foreign is the problem of an object that exists (nil: it does not) and is not the instance's.
func foreign(instance *v1alpha1.GatewayInstance, kind string, current client.Object) *table.Problem {
	if current == nil || ours(instance, current) {
		return nil
	}
	p := &table.Problem{
		Severity: table.Invalid,
		Reason:   v1alpha1.ReasonNameConflict,
		Message: fmt.Sprintf("%s %s exists and does not belong to this GatewayInstance; delete or rename it, or give the "+
			"GatewayInstance another name", kind, client.ObjectKeyFromObject(current)),
	}
	if formerly(instance, current) {
		p.Severity = table.Missing
		p.Message = fmt.Sprintf("%s %s still belongs to a GatewayInstance of this name that was deleted; it goes with it",
			kind, client.ObjectKeyFromObject(current))
	}
	return p
}

// ours says whether an object belongs to the instance: by its controller, or where it cannot have one by its labels. One of the
// instance's namespace that has all labels that the operator gives, and no controller, was restored from a backup without owners.
func ours(instance *v1alpha1.GatewayInstance, obj client.Object) bool {
	if owner := metav1.GetControllerOfNoCopy(obj); owner != nil {
		return owner.UID == instance.UID
	}
	labels := obj.GetLabels()
	if obj.GetNamespace() != instance.Namespace {
		return labels[v1alpha1.LabelInstanceUID] == string(instance.UID)
	}
	for name, value := range render.Labels(instance) {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// formerly says whether an object belonged to an instance of the same name.
func formerly(instance *v1alpha1.GatewayInstance, obj client.Object) bool {
	if owner := metav1.GetControllerOfNoCopy(obj); owner != nil {
		return owner.Kind == v1alpha1.KindGatewayInstance && owner.Name == instance.Name
	}
	labels := obj.GetLabels()
	return labels[v1alpha1.LabelInstanceUID] != "" && labels[v1alpha1.LabelInstance] == instance.Name &&
		labels[v1alpha1.LabelInstanceNamespace] == instance.Namespace
}

// prune deletes what the spec asks for no more. An autoscaler whose metrics are not served now stays: adapters come and go.
func (r *GatewayInstanceReconciler) prune(
	ctx context.Context, s *instanceScope, scale render.Scale, wanted []client.Object,
) error {
	keep := map[string]bool{}
	for _, obj := range wanted {
		keep[objectKey(obj)] = true
	}
	found, err := r.bindings(ctx, client.MatchingLabels{v1alpha1.LabelInstance: s.instance.Name})
	if err != nil {
		return err
	}
	extras, err := r.extras(ctx, s.instance)
	if err != nil {
		return err
	}
	if !render.AsksForHTTPRoute(s.instance) {
		route, err := r.httpRoute(ctx, s)
		if err != nil {
			return err
		}
		if route != nil {
			extras = append(extras, route)
		}
	}
	for _, obj := range append(found, extras...) {
		if _, scales := obj.(*autoscalingv2.HorizontalPodAutoscaler); scales && scale.NoMetrics {
			continue
		}
		if !ours(s.instance, obj) || keep[objectKey(obj)] {
			continue
		}
		r.applied.drop(obj.GetUID())
		uid := obj.GetUID()
		if err := r.Delete(ctx, obj, client.Preconditions{UID: &uid}); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting %s: %w", objectKey(obj), err)
		}
	}
	return nil
}

// objectKey tells objects apart.
func objectKey(obj client.Object) string {
	return fmt.Sprintf("%T %s/%s", obj, obj.GetNamespace(), obj.GetName())
}

// extras lists the objects beside an instance that it has only where its spec asks for them.
func (r *GatewayInstanceReconciler) extras(ctx context.Context, instance *v1alpha1.GatewayInstance) ([]client.Object, error) {
	var found []client.Object
	for _, list := range []client.ObjectList{
		&policyv1.PodDisruptionBudgetList{}, &autoscalingv2.HorizontalPodAutoscalerList{},
		&networkingv1.NetworkPolicyList{}, &networkingv1.IngressList{},
	} {
		err := r.List(ctx, list, client.InNamespace(instance.Namespace), client.MatchingLabels{v1alpha1.LabelInstance: instance.Name})
		if err != nil {
			return nil, fmt.Errorf("listing %T: %w", list, err)
		}
		err = meta.EachListItem(list, func(obj runtime.Object) error {
			found = append(found, obj.(client.Object))
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading %T: %w", list, err)
		}
	}
	return found, nil
}

// bindings lists the bindings that the operator made.
func (op *operator) bindings(ctx context.Context, opts ...client.ListOption) ([]client.Object, error) {
	var found []client.Object
	roles := &rbacv1.RoleBindingList{}
	if err := op.List(ctx, roles, opts...); err != nil {
		return nil, fmt.Errorf("listing role bindings: %w", err)
	}
	for i := range roles.Items {
		found = append(found, &roles.Items[i])
	}
	if op.opts.WatchNamespaces != nil {
		return found, nil
	}
	cluster := &rbacv1.ClusterRoleBindingList{}
	if err := op.List(ctx, cluster, opts...); err != nil {
		return nil, fmt.Errorf("listing cluster role bindings: %w", err)
	}
	for i := range cluster.Items {
		found = append(found, &cluster.Items[i])
	}
	return found, nil
}

// ensureSecret brings the compiled Secret to what the compilation says, and wakes whoever waits for that.
func (r *GatewayInstanceReconciler) ensureSecret(ctx context.Context, s *instanceScope) error {
	if p := s.verdict.secretProblem; p != nil {
		r.noSecret(s, p)
		return nil
	}
	s.secret = held(v1alpha1.ConditionCredentialsCompiled, v1alpha1.ReasonCompiled, "the credentials of this instance are current")
	key := client.ObjectKey{Namespace: s.name.Namespace, Name: render.CredentialsSecretName(s.name.Name)}
	known := r.secrets.get(s.name)
	if known.uid == s.instance.UID && known.digest == s.verdict.digest && (s.ring == nil || s.ring.digest == known.ring) {
		held := metadataOf(kindSecret)
		if err := r.Get(ctx, key, held); err == nil && held.ResourceVersion == known.version {
			return nil
		}
	}
	secret, problem, err := r.writeSecret(ctx, s, key)
	if err != nil {
		s.secret = fromProblem(v1alpha1.ConditionCredentialsCompiled, refusal(err))
		return err
	}
	if problem != nil {
		s.problems = append(s.problems, problem)
		r.noSecret(s, problem)
		return nil
	}
	if r.secrets.set(s.name, compiledSecret{
		uid: s.instance.UID, digest: s.verdict.digest, version: secret.ResourceVersion, ring: ringDigest(secret.Data[keyring.Entry]),
	}) {
		r.wake.objects(r.fleets.due(s.name)...)
	}
	return nil
}

// noSecret notes that the compiled Secret cannot be what it should be. One that was written before stays in use.
func (r *GatewayInstanceReconciler) noSecret(s *instanceScope, p *table.Problem) {
	s.secret = fromProblem(v1alpha1.ConditionCredentialsCompiled, p)
	if r.secrets.get(s.name).uid != s.instance.UID && r.secrets.set(s.name, compiledSecret{uid: s.instance.UID}) {
		r.wake.objects(r.fleets.due(s.name)...)
	}
}

// writeSecret creates or updates the compiled Secret if its contents differ, and returns it.
func (r *GatewayInstanceReconciler) writeSecret(
	ctx context.Context, s *instanceScope, key client.ObjectKey,
) (*corev1.Secret, *table.Problem, error) {
	secret := &corev1.Secret{}
	err := r.live.Get(ctx, key, secret)
	if apierrors.IsNotFound(err) {
		secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
		fillCompiled(secret, s)
		if err := r.Create(ctx, secret); err != nil {
			return nil, nil, fmt.Errorf("creating Secret %s: %w", key, err)
		}
		return secret, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading Secret %s: %w", key, err)
	}
	if p := foreign(s.instance, kindSecret, secret); p != nil {
		return nil, p, nil
	}
	before := secret.DeepCopy()
	fillCompiled(secret, s)
	if reflect.DeepEqual(before, secret) {
		return secret, nil, nil
	}
	if err := r.Update(ctx, secret); err != nil {
		return nil, nil, fmt.Errorf("updating Secret %s: %w", key, err)
	}
	return secret, nil, nil
}

// fillCompiled makes a Secret what the compilation says, with the key ring beside it. Nobody else's entries stay in it: the gateway
// reads all of them. Where the key ring cannot be used now, the one from before stays: running jobs are sealed with it.
func fillCompiled(secret *corev1.Secret, s *instanceScope) {
	secret.Labels = orNewMap(secret.Labels)
	maps.Copy(secret.Labels, render.Labels(s.instance))
	secret.OwnerReferences = []metav1.OwnerReference{render.OwnerReference(s.instance)}
	data := maps.Clone(s.verdict.entries)
	if s.ring != nil {
		data[keyring.Entry] = s.ring.ring.Bytes()
	} else if before, ok := secret.Data[keyring.Entry]; ok {
		data[keyring.Entry] = before
	}
	secret.Data = data
}
