package controllers

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// redisRefs are the objects whose contents the Redis of an instance needs.
func redisRefs(instance *v1alpha1.GatewayInstance) []contentRef {
	var refs []contentRef
	if ref, ok := redisSecretRef(instance); ok {
		refs = append(refs, ref)
	}
	if ref, _, ok := redisBundleRef(instance); ok {
		refs = append(refs, ref)
	}
	return refs
}

// redisSecretRef is where the password is.
func redisSecretRef(instance *v1alpha1.GatewayInstance) (contentRef, bool) {
	if instance.Spec.Redis == nil || instance.Spec.Redis.SecretRef == nil {
		return contentRef{}, false
	}
	return besideInstance(instance, kindSecret, instance.Spec.Redis.SecretRef.Name), true
}

// redisBundleRef is where the certificates to trust are, and in which entry.
func redisBundleRef(instance *v1alpha1.GatewayInstance) (contentRef, string, bool) {
	if instance.Spec.Redis == nil || instance.Spec.Redis.TLS == nil || instance.Spec.Redis.TLS.CABundle == nil {
		return contentRef{}, "", false
	}
	switch bundle := instance.Spec.Redis.TLS.CABundle; {
	case bundle.ConfigMapRef != nil:
		return besideInstance(instance, kindConfigMap, bundle.ConfigMapRef.Name), string(bundle.ConfigMapRef.Key), true
	case bundle.SecretRef != nil:
		return besideInstance(instance, kindSecret, bundle.SecretRef.Name), string(bundle.SecretRef.Key), true
	}
	return contentRef{}, "", false
}

// besideInstance names an object in the namespace of an instance.
func besideInstance(instance *v1alpha1.GatewayInstance, kind string, name v1alpha1.ObjectName) contentRef {
	return contentRef{kind: kind, name: types.NamespacedName{Namespace: instance.Namespace, Name: string(name)}}
}

// redisState reads what the Redis of an instance refers to. An error means that the API server did not tell; a missing or unusable
// object is a problem of the state.
func redisState(instance *v1alpha1.GatewayInstance, read contentReader) (table.RedisState, error) {
	var state table.RedisState
	for _, part := range []func(*table.RedisState, *v1alpha1.GatewayInstance, contentReader) (*table.Problem, error){readRedisSecret, readRedisBundle} {
		problem, err := part(&state, instance, read)
		if err != nil {
			return table.RedisState{}, err
		}
		if problem != nil {
			return table.RedisState{Problem: problem}, nil
		}
	}
	return state, nil
}

// readRedisSecret takes user names and passwords.
func readRedisSecret(s *table.RedisState, instance *v1alpha1.GatewayInstance, read contentReader) (*table.Problem, error) {
	ref, ok := redisSecretRef(instance)
	if !ok {
		return nil, nil
	}
	entries, err := read(ref)
	if err != nil || entries == nil {
		return notFound(ref, "spec.redis.secretRef"), err
	}
	if _, ok := entries[v1alpha1.SecretEntryRedisPassword]; !ok {
		return &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonSecretEntryMissing,
			Message: fmt.Sprintf("Secret %s has no entry %s, which spec.redis.secretRef needs; add it", ref.name, v1alpha1.SecretEntryRedisPassword)}, nil
	}
	s.Username = string(entries[v1alpha1.SecretEntryRedisUsername])
	s.Password = table.NewSecret(string(entries[v1alpha1.SecretEntryRedisPassword]))
	s.SentinelUsername = string(entries[v1alpha1.SecretEntrySentinelUsername])
	s.SentinelPassword = table.NewSecret(string(entries[v1alpha1.SecretEntrySentinelPassword]))
	return nil, nil
}

// readRedisBundle takes the certificates to trust.
func readRedisBundle(s *table.RedisState, instance *v1alpha1.GatewayInstance, read contentReader) (*table.Problem, error) {
	ref, entry, ok := redisBundleRef(instance)
	if !ok {
		return nil, nil
	}
	entries, err := read(ref)
	if err != nil || entries == nil {
		return notFound(ref, "spec.redis.tls.caBundle"), err
	}
	pem, ok := entries[entry]
	if !ok {
		return &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonSecretEntryMissing,
			Message: fmt.Sprintf("%s %s has no entry %s, which spec.redis.tls.caBundle names; add it", ref.kind, ref.name, entry)}, nil
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonInvalid,
			Message: fmt.Sprintf("Entry %s of %s %s holds no PEM certificate; put the certificates to trust there", entry, ref.kind, ref.name)}, nil
	}
	s.CABundle = pem
	return nil, nil
}

// redisStates reads what the Redis of each instance refers to, which c.contents must expect. Where that cannot be read right now, the last
// state stays, if there is one.
func (c *compiler) redisStates(ctx context.Context, instances []*v1alpha1.GatewayInstance) (map[types.NamespacedName]table.RedisState, error) {
	states := map[types.NamespacedName]table.RedisState{}
	read := func(ref contentRef) (map[string][]byte, error) { return c.contents.read(ctx, ref) }
	var unread []error
	for _, instance := range instances {
		if instance.Spec.Redis == nil {
			continue
		}
		name := client.ObjectKeyFromObject(instance)
		state, err := redisState(instance, read)
		if err != nil {
			unread = append(unread, fmt.Errorf("looking at what redis of GatewayInstance %s refers to: %w", name, err))
			var known bool
			if state, known = c.redis[name]; !known {
				state = table.RedisState{Problem: &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonReconcileError,
					Message: "what redis names could not be read yet; see the operator's log if this lasts"}}
			}
		}
		states[name] = state
	}
	return states, errors.Join(unread...)
}

// redisDetails say whether the replicas of an instance reach its Redis. It never stands in the way of Ready: requests are served, by the
// word of limitsFailurePolicy.
func redisDetails(instance *v1alpha1.GatewayInstance, problem *table.Problem, ready []replica) []detail {
	const kind = v1alpha1.ConditionRedisAvailable
	if instance.Spec.Redis == nil {
		return nil
	}
	if problem != nil {
		return []detail{failed(kind, table.Info, problem.Reason, problem.Message)}
	}
	reached := 0
	var away []string
	for _, r := range ready {
		switch r.redis {
		case metav1.ConditionTrue:
			reached++
		case metav1.ConditionFalse:
			away = append(away, r.name+": "+r.redisMessage)
		case metav1.ConditionUnknown:
		}
	}
	switch {
	case len(away) > 0:
		return []detail{failed(kind, table.Info, v1alpha1.ReasonRedisUnreachable,
			fmt.Sprintf("%d of %d ready replicas do not reach Redis; limitsFailurePolicy is in force there: %s", len(away), len(ready), strings.Join(away, "; ")))}
	case len(ready) == 0 || reached < len(ready):
		return []detail{failed(kind, table.Info, v1alpha1.ReasonProgressing, fmt.Sprintf("%d of %d ready replicas have reached Redis so far", reached, len(ready)))}
	}
	return []detail{held(kind, v1alpha1.ReasonRedisConnected, "every ready replica reaches Redis")}
}
