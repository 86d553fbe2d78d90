package kubernetes

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestSource_followsRoutesAndCredentials(t *testing.T) {
	b := newBench(t)
	b.start()
	b.within(time.Second, "the watches are open", func() bool { return b.source.Staleness() >= 0 })
	if b.tables != 0 {
		t.Fatal("a table was published without an instance")
	}
	instance := b.makeInstance()
	b.synced()
	route := b.makeRoute(b.instance.Namespace, "a")
	b.eventually("the new route and its version serve", func() bool {
		return b.serves(b.instance.Namespace+"/a") && covers(b.loaded.ModelRoutes, route.ResourceVersion)
	})
	if !covers(b.loaded.GatewayInstance, instance.ResourceVersion) {
		t.Errorf("loaded says instance %s, want at least %s", b.loaded.GatewayInstance, instance.ResourceVersion)
	}

	tables := b.tables
	updateStatus(b, route, func(r *v1alpha1.ModelRoute) { r.Status.Targets = "0/0" })
	b.eventually("the version of a status serves", func() bool { return covers(b.loaded.ModelRoutes, route.ResourceVersion) })
	if b.tables != tables {
		t.Errorf("a status made %d tables, want none", b.tables-tables)
	}

	data, err := table.EncodeCredentials([]table.CompiledCredential{{
		Credential: &v1alpha1.ProviderCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "c"}},
		State:      table.CredentialState{Entries: map[string]table.Secret{"api-key": table.NewSecret("s")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: b.instance.Namespace, Name: "vipcloud-default-credentials"}, Data: data}
	b.create(secret)
	b.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: b.instance.Namespace, Name: "vipcloud-other-credentials"}, Data: data})
	b.eventually("the credential serves", func() bool {
		return len(b.input.Credentials) == 1 && b.input.Credentials[0].Name == "c" && covers(b.loaded.Credentials, secret.ResourceVersion)
	})
	b.remove(secret)
	b.remove(route)
	b.eventually("the route is gone and held, the credential stays", func() bool {
		return b.serves() && len(b.input.Credentials) == 1 && b.input.Held["a"] == b.instance.Namespace
	})
}

func TestSource_followsKeys(t *testing.T) {
	b := newBench(t)
	b.makeInstance()
	shop := b.namespace(nil)
	existing := b.makeKey(shop, "old")
	b.start()
	b.synced()
	id := shop + "/new"
	b.eventually("the key that was there", func() bool { return b.keys[shop+"/old"] != nil })
	key := b.makeKey(shop, "new")
	b.within(time.Second, "a new key", func() bool { return b.keys[id] != nil })

	update(b, key, func(k *v1alpha1.ApiKey) { k.Spec.Revoked = true })
	b.within(time.Second, "its revocation", func() bool { return b.keys[id].Revoked })
	b.eventually("its version", func() bool { return covers(b.loaded.ApiKeys, key.ResourceVersion) })

	calls, tables := b.calls, b.tables
	updateStatus(b, key, func(k *v1alpha1.ApiKey) { k.Status.BaseURL = "http://x" })
	b.eventually("the version of a status", func() bool { return covers(b.loaded.ApiKeys, key.ResourceVersion) })
	if b.calls != calls {
		t.Errorf("a status that means nothing made %d calls", b.calls-calls)
	}

	updateStatus(b, key, func(k *v1alpha1.ApiKey) { k.Status.Gateway.Name = "other" })
	b.within(time.Second, "it went to another instance", func() bool { return b.keys[id] == nil })
	b.remove(existing)
	b.within(time.Second, "the other was deleted", func() bool { return b.keys[shop+"/old"] == nil })
	if b.tables != tables {
		t.Errorf("keys made %d tables", b.tables-tables)
	}
}

func TestSource_followsWhatTheInstanceServes(t *testing.T) {
	b := newBench(t)
	gold, iron := b.namespace(map[string]string{"tier": "gold"}), b.namespace(nil)
	instance := b.makeInstance()
	own := b.instance.Namespace
	b.makeRoute(own, "a")
	b.makeRoute(gold, "b")
	b.makeRoute(iron, "c")
	b.start()
	b.synced()
	b.eventually("only the own route", func() bool { return b.serves(own + "/a") })

	has := func(names ...string) bool { // other tests have routes, too
		got := map[string]bool{}
		for _, n := range routeNames(b.input) {
			got[n] = true
		}
		for _, n := range names {
			if !got[n] {
				return false
			}
		}
		return true
	}
	update(b, instance, servesRoutes(v1alpha1.NamespacesFromSelector))
	b.eventually("all routes, and labels to choose by", func() bool {
		return has(own+"/a", gold+"/b", iron+"/c") && b.input.Namespaces[gold]["tier"] == "gold" && covers(b.loaded.GatewayInstance, instance.ResourceVersion)
	})
	if got := models(b.input); !cmp.Equal(got, []string{"a", "b"}) && !cmp.Equal(got, []string{"b"}) {
		t.Errorf("models %v, want those of gold", got)
	}
	update(b, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: iron}}, func(n *corev1.Namespace) { n.Labels = map[string]string{"tier": "gold"} })
	b.eventually("a namespace got the label", func() bool { return b.input.Namespaces[iron]["tier"] == "gold" })
	update(b, instance, servesRoutes(v1alpha1.NamespacesFromSame))
	b.eventually("only the own route again", func() bool { return b.serves(own+"/a") && len(b.input.Namespaces) == 0 })
}

// models are the names that a table of an input serves.
func models(in table.Input) []string {
	built, _ := table.Build(in)
	names := []string{}
	for _, r := range built.Routes() {
		names = append(names, r.Model)
	}
	return names
}

func TestSource_namespacedMode(t *testing.T) {
	b := newBench(t)
	own, watched, other := b.instance.Namespace, b.namespace(nil), b.namespace(nil)
	b.makeInstance(servesRoutes(v1alpha1.NamespacesFromAll))
	b.makeRoute(own, "a")
	b.makeRoute(other, "c")
	b.makeKey(other, "k")
	b.start(own, watched)
	b.synced()
	route, key := b.makeRoute(watched, "b"), b.makeKey(watched, "k")
	b.eventually("the watched namespaces serve", func() bool { return len(b.input.Routes) == 2 && len(b.keys) == 1 && b.keys[watched+"/k"] != nil })
	// The own namespace stays quiet, and its next bookmark may be a minute away.
	b.within(20*time.Second, "versions move although the other namespace is quiet", func() bool {
		return covers(b.loaded.ModelRoutes, route.ResourceVersion) && covers(b.loaded.ApiKeys, key.ResourceVersion)
	})
}

func TestSource_keepsServingWithoutTheServer(t *testing.T) {
	b := newBench(t)
	b.makeInstance()
	own := b.instance.Namespace
	route, key := b.makeRoute(own, "a"), b.makeKey(own, "k")
	b.start()
	b.synced()
	b.eventually("route and key serve", func() bool { return b.serves(own+"/a") && len(b.keys) == 1 })
	tables, calls := b.tables, b.calls

	b.gate.set(true)
	b.makeRoute(own, "b")
	b.remove(route)
	b.remove(key)
	b.within(10*time.Second, "the source notices that it hears nothing", func() bool { return b.source.Staleness() > 2*time.Second })
	if b.tables != tables || b.calls != calls {
		t.Errorf("without a server there were %d tables and %d calls about keys; want nothing to change", b.tables-tables, b.calls-calls)
	}
	b.gate.set(false)
	b.within(15*time.Second, "it catches up", func() bool { return b.serves(own+"/b") && len(b.keys) == 0 })
	b.within(15*time.Second, "all watches live again", func() bool { return b.source.Staleness() < 2*time.Second })
}

func TestSource_noticesAConnectionThatDiedInSilence(t *testing.T) {
	t.Setenv("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "1") // what EnableHealthPings sets, only sooner
	t.Setenv("HTTP2_PING_TIMEOUT_SECONDS", "1")
	b := newBench(t)
	b.makeInstance()
	key := b.makeKey(b.instance.Namespace, "k")
	b.start()
	b.synced()
	b.eventually("the key serves", func() bool { return len(b.keys) == 1 })
	b.gate.swallow()
	b.remove(key)
	b.within(15*time.Second, "the deletion comes over another connection", func() bool { return len(b.keys) == 0 })
}

func TestSource_startsWithoutTheServer(t *testing.T) {
	b := newBench(t)
	b.makeInstance()
	b.makeRoute(b.instance.Namespace, "a")
	b.gate.set(true)
	b.start()
	b.within(10*time.Second, "it waits", func() bool { return b.source.Staleness() > time.Second })
	b.gate.set(false)
	b.synced()
	if !b.serves(b.instance.Namespace + "/a") {
		t.Errorf("first table has %v", routeNames(b.input))
	}
}
