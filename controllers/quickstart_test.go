package controllers

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestQuickstart_BecomesReadyWhenAReplicaHasLoadedIt(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	credential := w.credential("deepseek", "sk-upstream-secret")
	route := w.route("deepseek-chat", "deepseek")
	key := w.key("shop")
	w.ready(credential)
	w.expectConditions(route, expect{"Accepted": "True/Accepted", "ResolvedRefs": "True/ResolvedRefs", "Priced": "True/Priced",
		"Programmed": "False/NoReadyReplica", "Ready": "False/NoReadyReplica", "Reconciling": "True/NoReadyReplica"})

	w.attend("default", "r1")
	w.ready(instance, route, key)

	secret := &corev1.Secret{}
	w.eventually("the key's Secret", func() error {
		return w.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: "shop"}, secret)
	})
	plain := string(secret.Data["api-key"])
	if !strings.HasPrefix(plain, "vc-sk-") || string(secret.Data["OPENAI_API_KEY"]) != plain {
		t.Errorf("the Secret's entries are %v", mapKeys(secret.Data))
	}
	if want := fmt.Sprintf("http://vipcloud-default.%s.svc/v1", w.ns); string(secret.Data["OPENAI_BASE_URL"]) != want ||
		key.Status.BaseURL != want || instance.Status.Address != want {
		t.Errorf("addresses: Secret %q, key %q, instance %q, want %q",
			secret.Data["OPENAI_BASE_URL"], key.Status.BaseURL, instance.Status.Address, want)
	}
	if len(key.Status.Hashes) != 1 || key.Status.Hashes[0].SHA256 != apikey.Sum(plain).String() {
		t.Errorf("hashes: %v", key.Status.Hashes)
	}
	if got, want := instance.Status.Replicas, "1/1"; got != want {
		t.Errorf("replicas %q, want %q", got, want)
	}
	w.eventually("counts", func() error {
		w.get(instance)
		if instance.Status.Routes != 1 || instance.Status.Keys != 1 {
			return fmt.Errorf("routes %d, keys %d", instance.Status.Routes, instance.Status.Keys)
		}
		return nil
	})

	compiled := &corev1.Secret{}
	if err := w.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: "vipcloud-default-credentials"}, compiled); err != nil {
		t.Fatal(err)
	}
	creds, states, err := table.DecodeCredentials(compiled.Data)
	if err != nil || len(creds) != 1 {
		t.Fatalf("%d credentials, %v", len(creds), err)
	}
	if got := states[client.ObjectKeyFromObject(credential)].Entries["api-key"]; got.Reveal() != "sk-upstream-secret" {
		t.Error("the compiled Secret does not hold the credential")
	}
	if err := w.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: "vipcloud-default"}, &appsv1.Deployment{}); err != nil {
		t.Error(err)
	}
}

// mapKeys are the names of entries, without what they hold.
func mapKeys(m map[string][]byte) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}
