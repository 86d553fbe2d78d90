package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// ProviderCredentialReconciler writes the status of ProviderCredentials. What they refer to is read by the compiler.
type ProviderCredentialReconciler struct{ *operator }

// SetupWithManager registers the controller.
func (r *ProviderCredentialReconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ProviderCredential{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(r.wake[v1alpha1.KindProviderCredential].source()).
		WithOptions(controllerOptions(2)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("building: %w", err)
	}
	return nil
}

// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=providercredentials,verbs=get;list;watch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=providercredentials/status,verbs=get;patch

// Reconcile looks at one credential.
func (r *ProviderCredentialReconciler) Reconcile(ctx context.Context, req ctrl.Request) (res ctrl.Result, err error) {
	ref := table.ObjectRef{Kind: v1alpha1.KindProviderCredential, Namespace: req.Namespace, Name: req.Name}
	cred := &v1alpha1.ProviderCredential{}
	if err := r.Get(ctx, req.NamespacedName, cred); err != nil {
		r.sightings.forget(ref)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	seen := r.sightings.see(ref, cred.UID, tokenOf(cred), cred.ResourceVersion)
	v, known := r.compiled.verdict(ref, sightOf(cred))
	if !known {
		return ctrl.Result{}, nil
	}
	health, err := r.healthOf(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	patch := r.beginStatus(cred, &cred.Status.Conditions).showing(&cred.Status.Ejected)
	defer func() { res, err = patch.finish(ctx, res, err) }()
	return r.again(setCredentialStatus(cred, v, seen, health, r.clock.Now())), nil
}

// credentialHealth is what replicas say of the targets with a credential. counted says that this is known.
type credentialHealth struct {
	ejected  []ejection
	replicas int
	counted  bool
}

// healthOf asks the replicas of all instances.
func (r *ProviderCredentialReconciler) healthOf(ctx context.Context, name types.NamespacedName) (h credentialHealth, err error) {
	instances := &v1alpha1.GatewayInstanceList{}
	if err := r.List(ctx, instances, client.UnsafeDisableDeepCopy); err != nil {
		return h, fmt.Errorf("listing instances: %w", err)
	}
	names := make([]types.NamespacedName, 0, len(instances.Items))
	for i := range instances.Items {
		names = append(names, client.ObjectKeyFromObject(&instances.Items[i]))
	}
	h.ejected, h.replicas, h.counted = r.ejections.of(names, func(e *ejection) bool { return e.Credential == name.String() })
	return h, nil
}
