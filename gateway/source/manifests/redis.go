package manifests

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// Redis says what the Secrets and ConfigMaps of the set have for the Redis of an instance. It is nil if the instance has none.
func (s *Set) Redis(instance *v1alpha1.GatewayInstance) *table.RedisState {
	spec := instance.Spec.Redis
	if spec == nil {
		return nil
	}
	state := &table.RedisState{}
	if spec.TLS != nil {
		if state.CABundle, state.Problem = s.bundle("redis.tls.caBundle", instance.Namespace, spec.TLS.CABundle); state.Problem != nil {
			return &table.RedisState{Problem: state.Problem}
		}
	}
	if spec.SecretRef == nil {
		return state
	}
	secret := s.secret(types.NamespacedName{Namespace: instance.Namespace, Name: string(spec.SecretRef.Name)})
	if secret == nil {
		return &table.RedisState{Problem: absent("redis.secretRef: Secret %q is not among the manifests; add it", spec.SecretRef.Name).Problem}
	}
	entry := func(name string) string {
		value, _ := secretEntry(secret, name)
		return string(value)
	}
	if _, ok := secretEntry(secret, v1alpha1.SecretEntryRedisPassword); !ok {
		return &table.RedisState{Problem: &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonSecretEntryMissing,
			Message: fmt.Sprintf("redis.secretRef: Secret %q needs the entry %s; add it", spec.SecretRef.Name, v1alpha1.SecretEntryRedisPassword)}}
	}
	state.Username, state.Password = entry(v1alpha1.SecretEntryRedisUsername), table.NewSecret(entry(v1alpha1.SecretEntryRedisPassword))
	state.SentinelUsername = entry(v1alpha1.SecretEntrySentinelUsername)
	state.SentinelPassword = table.NewSecret(entry(v1alpha1.SecretEntrySentinelPassword))
	return state
}
