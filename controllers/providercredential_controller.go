package controllers

import (
	"context"
	"fmt"

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
	patch := r.beginStatus(cred, &cred.Status.Conditions)
	defer func() { res, err = patch.finish(ctx, res, err) }()
	return r.again(setCredentialStatus(cred, v, seen, r.clock.Now())), nil
}
