package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// compiledRedis waits until the compiled Secret says something of Redis; want is nil for nothing.
func (w *world) compiledRedis(want func(*table.RedisState) bool) {
	w.t.Helper()
	w.eventually("what Redis asks for in the compiled Secret", func() error {
		secret := &corev1.Secret{}
		if err := w.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: "vipcloud-default-credentials"}, secret); err != nil {
			return err
		}
		got, err := table.DecodeRedis(secret.Data)
		switch {
		case err != nil:
			return err
		case want == nil && got != nil:
			return errors.New("it says something of Redis")
		case want != nil && (got == nil || !want(got)):
			return fmt.Errorf("it says %+v", got)
		}
		return nil
	})
}

// reaches lets a replica report whether it reaches Redis.
func (w *world) reaches(obj *v1alpha1.GatewayReplica, why string) {
	w.t.Helper()
	c := metav1.Condition{Type: v1alpha1.ConditionRedisAvailable, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonRedisConnected}
	if why != "" {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, v1alpha1.ReasonRedisUnreachable, why
	}
	w.report(obj, func(st *v1alpha1.GatewayReplicaStatus) { meta.SetStatusCondition(&st.Conditions, c) })
}

func TestGatewayInstance_RedisSecretIsCompiled(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default", func(i *v1alpha1.GatewayInstance) {
		i.Spec.Redis = &v1alpha1.Redis{Address: "redis:6379", SecretRef: &v1alpha1.LocalObjectReference{Name: "redis"}}
	})
	w.replica("default", "one")
	w.expectConditions(instance, expect{"RedisAvailable": "False/RefNotFound", "Ready": "True/Ready"})
	secret := w.secret(w.ns, "redis", map[string]string{"username": "gate"})
	w.expectConditions(instance, expect{"RedisAvailable": "False/SecretEntryMissing", "Ready": "True/Ready"})
	w.compiledRedis(func(s *table.RedisState) bool {
		return s.Problem != nil && s.Problem.Reason == v1alpha1.ReasonSecretEntryMissing
	})
	w.change(secret, func() { secret.StringData = map[string]string{"password": "first"} })
	w.compiledRedis(func(s *table.RedisState) bool {
		return s.Problem == nil && s.Username == "gate" && s.Password.Reveal() == "first"
	})
	w.change(secret, func() { secret.StringData = map[string]string{"password": "second"} })
	w.compiledRedis(func(s *table.RedisState) bool { return s.Password.Reveal() == "second" })
	w.change(instance, func() {
		instance.Spec.Redis.TLS = &v1alpha1.RedisTLS{CABundle: &v1alpha1.CABundleSource{ConfigMapRef: &v1alpha1.EntryReference{Name: "ca", Key: "ca.crt"}}}
	})
	w.expectConditions(instance, expect{"RedisAvailable": "False/RefNotFound"})
	w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "ca"}, Data: map[string]string{"ca.crt": "none"}})
	w.expectConditions(instance, expect{"RedisAvailable": "False/Invalid", "Ready": "True/Ready"})
	w.change(instance, func() { instance.Spec.Redis = nil })
	w.expectConditions(instance, expect{"RedisAvailable": ""})
	w.compiledRedis(nil)
}

func TestGatewayInstance_RedisAvailableIsWhatReplicasSay(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default", func(i *v1alpha1.GatewayInstance) { i.Spec.Redis = &v1alpha1.Redis{Address: "redis:6379"} })
	one := w.replica("default", "one")
	w.expectConditions(instance, expect{"RedisAvailable": "False/Progressing", "Ready": "True/Ready"})
	w.reaches(one, "")
	w.expectConditions(instance, expect{"RedisAvailable": "True/RedisConnected"})
	two := w.replica("default", "two")
	w.expectConditions(instance, expect{"RedisAvailable": "False/Progressing"})
	w.reaches(two, "connection refused")
	w.expectConditions(instance, expect{"RedisAvailable": "False/RedisUnreachable", "Ready": "True/Ready"})
	if c := meta.FindStatusCondition(instance.Status.Conditions, v1alpha1.ConditionRedisAvailable); !strings.Contains(c.Message, "two: connection refused") {
		t.Errorf("message %q", c.Message)
	}
	w.reaches(two, "")
	w.expectConditions(instance, expect{"RedisAvailable": "True/RedisConnected"})
}
