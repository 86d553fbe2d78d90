package controllers

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// reviewTLS says whether the Secret of spec.tls can be served with. Gateways get it from the kubelet; nothing is made of it here.
func (r *GatewayInstanceReconciler) reviewTLS(ctx context.Context, s *instanceScope) error {
	if s.instance.Spec.TLS == nil {
		return nil
	}
	key := types.NamespacedName{Namespace: s.name.Namespace, Name: string(s.instance.Spec.TLS.SecretName)}
	secret := &corev1.Secret{}
	if err := r.live.Get(ctx, key, secret); apierrors.IsNotFound(err) {
		secret = nil
	} else if err != nil {
		return fmt.Errorf("reading Secret %s: %w", key, err)
	}
	now := r.clock.Now()
	d, expires := tlsDetail(key.Name, secret, now)
	if expires.After(now) {
		s.due = earliest(s.due, expires)
	}
	s.details = append(s.details, d)
	return nil
}

// tlsDetail says whether a Secret (nil: there is none) holds a certificate that clients may trust, and until when.
func tlsDetail(name string, secret *corev1.Secret, now time.Time) (detail, time.Time) {
	const kind = v1alpha1.ConditionTLSReady
	if secret == nil {
		return failed(kind, table.Missing, v1alpha1.ReasonRefNotFound, fmt.Sprintf(
			"Secret %s, which spec.tls.secretName names, does not exist; create it. Until then port 443 refuses connections, and port 80 "+
				"is served", name)), time.Time{}
	}
	for _, entry := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if len(secret.Data[entry]) == 0 {
			return failed(kind, table.Missing, v1alpha1.ReasonSecretEntryMissing, fmt.Sprintf(
				"Secret %s has no entry %s, which spec.tls needs; add it", name, entry)), time.Time{}
		}
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil { // whose text is left out: it may speak of what is in the key
		return failed(kind, table.Invalid, v1alpha1.ReasonInvalid, fmt.Sprintf(
			"Secret %s: tls.crt and tls.key are no PEM certificate with its private key; put both there. Replicas that have an earlier "+
				"certificate serve with that", name)), time.Time{}
	}
	expires := pair.Leaf.NotAfter
	if !now.Before(expires) {
		return failed(kind, table.Degraded, v1alpha1.ReasonCertificateExpired, fmt.Sprintf(
			"the certificate in Secret %s expired at %s; renew it", name, expires.UTC().Format(time.RFC3339))), expires
	}
	return held(kind, v1alpha1.ReasonTLSReady, "the certificate is valid until "+expires.UTC().Format(time.RFC3339)), expires
}

// instancesOfTLSSecret finds the instances that serve with a Secret.
func (r *GatewayInstanceReconciler) instancesOfTLSSecret(ctx context.Context, obj client.Object) []reconcile.Request {
	instances := &v1alpha1.GatewayInstanceList{}
	err := r.List(ctx, instances, client.InNamespace(obj.GetNamespace()), client.MatchingFields{indexInstanceTLS: obj.GetName()},
		client.UnsafeDisableDeepCopy)
	if err != nil {
		log.FromContext(ctx).Error(err, "Looking for the instances of a Secret failed", "secret", client.ObjectKeyFromObject(obj))
		return nil
	}
	requests := make([]reconcile.Request, 0, len(instances.Items))
	for i := range instances.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&instances.Items[i])})
	}
	return requests
}
