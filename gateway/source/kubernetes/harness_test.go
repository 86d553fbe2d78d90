package kubernetes

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/table"
)

// rig drives an owner by hand: no goroutine, no API server, a clock that stands still.
type rig struct {
	t       *testing.T
	o       *owner
	clock   *clocktesting.FakeClock
	open    map[string]*watcher // by kind/namespace
	opened  []string
	inputs  []table.Input
	keys    []string // what the key index was told
	loaded  []source.Versions
	rings   []keyring.Ring
	ringAt  []int // how often versions had been told when each ring came
	synced  int
	version int
}

// newRig makes an owner of instance system/default. Watched is nil for cluster mode.
func newRig(t *testing.T, watched ...string) *rig {
	r := &rig{t: t, clock: clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0)), open: map[string]*watcher{}}
	r.o = &owner{
		id: types.NamespacedName{Namespace: "system", Name: "default"}, watched: watched,
		logger: slog.New(slog.DiscardHandler), clock: r.clock,
		sink: source.Sink{Keys: r, Loaded: func(v source.Versions) { r.loaded = append(r.loaded, v) },
			KeyRing: func(ring keyring.Ring) { r.rings, r.ringAt = append(r.rings, ring), append(r.ringAt, len(r.loaded)) }},
		open: func(k kind, namespace string) *watcher {
			w := &watcher{name: rigName(k, namespace), clock: r.clock}
			r.open[w.name] = w
			r.opened = append(r.opened, w.name)
			return w
		},
		shut: func(w *watcher) {
			if r.open[w.name] == w {
				delete(r.open, w.name)
			}
		},
		decode: func(data map[string][]byte) ([]*v1alpha1.ProviderCredential, map[types.NamespacedName]table.CredentialState, error) {
			if string(data["credentials"]) == "garbage" {
				return nil, nil, errors.New("garbage")
			}
			var all []*v1alpha1.ProviderCredential
			for _, name := range slices.Sorted(maps.Keys(data)) {
				if name == keyring.Entry {
					continue
				}
				all = append(all, &v1alpha1.ProviderCredential{ObjectMeta: metav1.ObjectMeta{Name: string(data[name])}})
			}
			return all, nil, nil
		},
		build:  func(in table.Input) { r.inputs = append(r.inputs, in) },
		synced: func() { r.synced++ },
	}
	r.o.begin()
	return r
}

// rigName names a watch.
func rigName(k kind, namespace string) string {
	return [...]string{"instance", "secret", "namespaces", "routes", "keys"}[k] + "/" + namespace
}

// Replace implements source.Keys.
func (r *rig) Replace(keys []*table.Key) {
	call := "replace"
	for _, id := range slices.Sorted(func(yield func(string) bool) {
		for _, k := range keys {
			if !yield(k.ID()) {
				return
			}
		}
	}) {
		call += " " + id
	}
	r.keys = append(r.keys, call)
}

// Put implements source.Keys.
func (r *rig) Put(key *table.Key) { r.keys = append(r.keys, "put "+key.ID()) }

// Delete implements source.Keys.
func (r *rig) Delete(namespace, name string) { r.keys = append(r.keys, "delete "+namespace+"/"+name) }

// send delivers a change from an open watch and lets the owner step. The version goes up with each.
func (r *rig) send(watch string, o op, items ...item) string {
	r.t.Helper()
	w := r.open[watch]
	if w == nil {
		r.t.Fatalf("no watch %q is open, only %v", watch, slices.Sorted(maps.Keys(r.open)))
	}
	r.version++
	version := strconv.Itoa(r.version)
	r.o.apply(change{from: w, op: o, items: items, version: version})
	r.o.step()
	return version
}

// pass moves the clock and lets the owner step.
func (r *rig) pass(d time.Duration) {
	r.clock.Step(d)
	r.o.step()
}

// built lets the build that is running end.
func (r *rig) built() {
	r.t.Helper()
	if !r.o.building {
		r.t.Fatal("no build is running")
	}
	r.o.built(true)
	r.o.step()
}

// start brings an owner to where it serves its first table, made of the given routes and an instance.
func (r *rig) start(instance item, routeWatch, keyWatch string, routes ...item) {
	r.t.Helper()
	r.send("instance/system", opList, instance)
	r.send("secret/system", opList)
	r.send(routeWatch, opList, routes...)
	r.send(keyWatch, opList)
	r.pass(quietTime)
	r.built()
}

// last is the last input that a build was started with.
func (r *rig) last() table.Input {
	r.t.Helper()
	if len(r.inputs) == 0 {
		r.t.Fatal("no build was started")
	}
	return r.inputs[len(r.inputs)-1]
}

// routeNames lists the routes of an input.
func routeNames(in table.Input) []string {
	names := []string{}
	for _, r := range in.Routes {
		names = append(names, r.Namespace+"/"+r.Name)
	}
	return names
}

// instanceItem makes an instance of a generation that serves routes of the given namespaces.
func instanceItem(generation int64, from v1alpha1.NamespacesFrom) item {
	return item{
		id: types.NamespacedName{Namespace: "system", Name: "default"},
		value: &v1alpha1.GatewayInstance{
			ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: "default", UID: "i", Generation: generation},
			Spec: v1alpha1.GatewayInstanceSpec{Serves: &v1alpha1.Serves{
				Routes: &v1alpha1.AllowedNamespaces{Namespaces: v1alpha1.NamespaceSelection{From: from}},
			}},
		},
	}
}

// routeItem makes a route.
func routeItem(namespace, name string, generation int64, edit ...func(*v1alpha1.ModelRoute)) item {
	route := &v1alpha1.ModelRoute{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name), Generation: generation,
	}}
	for _, f := range edit {
		f(route)
	}
	return item{id: types.NamespacedName{Namespace: namespace, Name: name}, value: route}
}

// keyItem makes a key that this instance accepts, or that it does not.
func keyItem(namespace, name string, ours bool, models ...string) item {
	it := item{id: types.NamespacedName{Namespace: namespace, Name: name}}
	if ours {
		it.value = &table.Key{Namespace: namespace, Name: name, Models: table.CompileGlobs(models)}
	}
	return it
}

// secretItem makes a compiled Secret.
func secretItem(credentials string) item {
	return item{
		id:    types.NamespacedName{Namespace: "system", Name: "vipcloud-default-credentials"},
		value: map[string][]byte{"credentials": []byte(credentials)},
	}
}
