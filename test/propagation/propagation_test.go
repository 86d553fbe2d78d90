package propagation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/test/sim"
)

// Sizes and bounds of the measurement, as the project promises them.
const (
	manyRoutes = 1000
	manyKeys   = 10000
	samples    = 60
	bound      = time.Second
	rotation   = 2 * time.Second
)

// hashOf is the hash of a plaintext key.
func hashOf(plaintext string) string { return apikey.Sum(plaintext).String() }

// plaintext is the n-th key's.
func plaintext(n int) string { return fmt.Sprintf("vc-sk-%040d", n) }

// TestPropagation runs everything in one world: an API server, an operator and two replicas cost more than the tests.
func TestPropagation(t *testing.T) {
	w := newWorld(t)
	t.Run("ready means that every replica serves it", func(t *testing.T) { readyMeansServed(w.in(t)) })
	t.Run("a rotated provider Secret is used without restart", func(t *testing.T) { rotatedSecret(w.in(t)) })
	t.Run("a rotated key ring strands no job", func(t *testing.T) { rotatedKeyRing(w.in(t)) })
	t.Run("no prompt reaches a squatter", func(t *testing.T) { noSquatting(w.in(t)) })
	t.Run("with many routes and keys", func(t *testing.T) { manyObjects(w.in(t)) })
}

// in is the world as a subtest sees it.
func (w *world) in(t *testing.T) *world {
	t.Helper()
	sub := *w
	sub.t = t
	return &sub
}

// readyMeansServed polls every replica while objects come and change: whenever a status says Ready for a generation, every
// replica must serve that generation already.
func readyMeansServed(w *world) {
	w.create(hashKey(tenant, "reader", plaintext(900001)))
	for i := range 10 {
		name := fmt.Sprintf("ready-%d", i)
		r := route(system, name, "openai")
		w.create(r)
		w.awaitReady(r)
		for _, replica := range w.replicas {
			if code, body := replica.chat(plaintext(900001), name); code != 200 {
				w.t.Fatalf("route %s is Ready, but %s answers %d %s", name, replica.name, code, body)
			}
		}
		before := r.Generation
		change := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"display":{"label":"second `+name+`"}}}`))
		if err := w.client.Patch(w.t.Context(), r, change); err != nil {
			w.t.Fatal(err)
		}
		if r.Generation == before {
			w.t.Fatal("the update changed no generation")
		}
		w.awaitReady(r)
		for _, replica := range w.replicas {
			if _, body := replica.detail(plaintext(900001)); !strings.Contains(body, "second "+name) {
				w.t.Fatalf("generation %d of %s is Ready, but %s still serves an older one", r.Generation, name, replica.name)
			}
		}
		key := hashKey(tenant, name, plaintext(910000+i))
		w.create(key)
		w.awaitReady(key)
		for _, replica := range w.replicas {
			if code, body := replica.models(plaintext(910000 + i)); code != 200 {
				w.t.Fatalf("key %s is Ready, but %s answers %d %s", name, replica.name, code, body)
			}
		}
	}
}

// awaitReady waits until an object is Ready for its generation.
func (w *world) awaitReady(o client.Object) {
	w.t.Helper()
	generation := o.GetGeneration()
	w.within(patience, "Ready of "+o.GetName(), func() bool {
		if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			w.t.Fatal(err)
		}
		switch o := o.(type) {
		case *v1alpha1.ModelRoute:
			return readyAt(o.Status.Conditions) == generation
		case *v1alpha1.ApiKey:
			return readyAt(o.Status.Conditions) == generation
		}
		return false
	})
}

// rotatedSecret changes the vendor's key and the Secret: requests go on, and the new key is used in time.
func rotatedSecret(w *world) {
	const first, second = "sk-rotation-first-key", "sk-rotation-second-key"
	vendor := sim.New(sim.OpenAI, sim.Options{Keys: []string{first, second}})
	url := serveHandler(w, vendor)
	w.create(secretOf(system, "rotating", first))
	w.create(credentialAt(system, "rotating", url+"/v1"))
	r := route(system, "rotating", "rotating")
	w.create(r)
	w.awaitReady(r)
	stop := make(chan struct{})
	var failures sync.Map
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if code, body := w.replicas[i%len(w.replicas)].chat(plaintext(900001), "rotating"); code != 200 {
				failures.Store(i, fmt.Sprintf("%d %s", code, body))
			}
		}
	})
	secret := secretOf(system, "rotating", second)
	if err := w.client.Update(w.t.Context(), secret); err != nil {
		w.t.Fatal(err)
	}
	took := w.within(rotation, "every replica uses the new key", func() bool { return usedByAll(w, vendor, second) })
	close(stop)
	wg.Wait()
	failures.Range(func(_, v any) bool { w.t.Errorf("a request failed during the rotation: %v", v); return false })
	fmt.Printf("rotated provider Secret in use by every replica after %s\n", took.Round(time.Millisecond))
}

// usedByAll sends one request to each replica and looks at the key that the vendor saw.
func usedByAll(w *world, vendor *sim.Simulator, key string) bool {
	for _, r := range w.replicas {
		seen := len(vendor.Ledger())
		if code, _ := r.chat(plaintext(900001), "rotating"); code != 200 {
			return false
		}
		used := false
		for _, e := range vendor.Ledger()[seen:] {
			used = used || strings.Contains(e.Header.Get("Authorization"), hashOf("Bearer "+key)) || strings.Contains(e.Header.Get("Authorization"), hashOf(key))
		}
		if !used {
			return false
		}
	}
	return true
}

// noSquatting deletes and recreates the platform's route beside a tenant's route of the same name. A victim's prompts must reach
// the platform's upstream or nobody.
func noSquatting(w *world) {
	trap := sim.New(sim.OpenAI, sim.Options{Keys: []string{"sk-trap"}})
	url := serveHandler(w, trap)
	w.create(secretOf(squatter, "trap", "sk-trap"))
	w.create(credentialAt(squatter, "trap", url+"/v1"))
	platform := route(system, "popular", "openai")
	w.create(platform)
	w.awaitReady(platform)
	w.create(route(squatter, "popular", "trap"))
	w.within(patience, "the squatter's route is told that the name is taken", func() bool {
		r := &v1alpha1.ModelRoute{}
		if err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: squatter, Name: "popular"}, r); err != nil {
			w.t.Fatal(err)
		}
		return slices.ContainsFunc(r.Status.Conditions, func(c metav1Condition) bool { return c.Reason == v1alpha1.ReasonNameTaken })
	})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, r := range w.replicas {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = r.chat(plaintext(900001), "popular")
				}
			}
		})
	}
	for range 5 {
		if err := w.client.Delete(w.t.Context(), platform); err != nil {
			w.t.Fatal(err)
		}
		w.within(patience, "the platform's route is gone from every replica", func() bool {
			return !slices.ContainsFunc(w.replicas, func(r *replica) bool { code, _ := r.chat(plaintext(900001), "popular"); return code != 404 })
		})
		platform = route(system, "popular", "openai")
		w.create(platform)
		w.awaitReady(platform)
	}
	close(stop)
	wg.Wait()
	if n := len(trap.Ledger()); n != 0 {
		w.t.Errorf("%d prompts reached the squatter", n)
	}
}

// manyObjects measures with a table of the promised size.
func manyObjects(w *world) {
	w.bulk(manyRoutes, func(i int) client.Object { return route(system, fmt.Sprintf("many-%d", i), "openai") })
	w.bulk(manyKeys, func(i int) client.Object { return hashKey(tenant, fmt.Sprintf("many-%d", i), plaintext(i)) })
	last := hashKey(tenant, "after-all", plaintext(920000))
	w.create(last)
	w.settled(last)
	routes, keys, revocations := w.measureRoutes(), w.measureKeys(), w.measureRevocations()
	for _, m := range []struct {
		name string
		all  []time.Duration
	}{{"route applied to served by both replicas", routes}, {"key applied to accepted by both replicas", keys}, {"key revoked to refused by both replicas", revocations}} {
		slices.Sort(m.all)
		p50, p99 := m.all[len(m.all)/2], m.all[len(m.all)*99/100]
		fmt.Printf("%s: p50 %s p99 %s (n=%d, %d routes, %d keys)\n", m.name, p50.Round(time.Millisecond), p99.Round(time.Millisecond), len(m.all), manyRoutes, manyKeys)
		if p99 > bound {
			w.t.Errorf("%s: p99 %s is over %s", m.name, p99, bound)
		}
	}
}

// bulk creates many objects from several connections.
func (w *world) bulk(n int, object func(i int) client.Object) {
	w.t.Helper()
	var wg sync.WaitGroup
	var failure sync.Once
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < n; i += 8 {
				if err := w.client.Create(context.Background(), object(i)); err != nil {
					failure.Do(func() { w.t.Errorf("creating: %v", err) })
					return
				}
			}
		})
	}
	wg.Wait()
}

// everywhere says whether all replicas answer as wanted.
func (w *world) everywhere(ask func(r *replica) bool) bool {
	return !slices.ContainsFunc(w.replicas, func(r *replica) bool { return !ask(r) })
}

// measureRoutes times new routes.
func (w *world) measureRoutes() []time.Duration {
	var all []time.Duration
	for i := range samples {
		name := fmt.Sprintf("timed-%d", i)
		w.create(route(system, name, "openai"))
		all = append(all, w.within(patience, name, func() bool {
			return w.everywhere(func(r *replica) bool { code, _ := r.model(plaintext(1), name); return code == 200 })
		}))
	}
	return all
}

// measureKeys times new keys, from kubectl apply through the operator's choice of the instance to acceptance.
func (w *world) measureKeys() []time.Duration {
	var all []time.Duration
	for i := range samples {
		name := fmt.Sprintf("timed-%d", i)
		w.create(hashKey(tenant, name, plaintext(930000+i)))
		all = append(all, w.within(patience, name, func() bool {
			return w.everywhere(func(r *replica) bool { code, _ := r.model(plaintext(930000+i), "many-1"); return code == 200 })
		}))
	}
	return all
}

// measureRevocations times the end of keys.
func (w *world) measureRevocations() []time.Duration {
	var all []time.Duration
	for i := range samples {
		key := &v1alpha1.ApiKey{}
		name := types.NamespacedName{Namespace: tenant, Name: fmt.Sprintf("timed-%d", i)}
		if err := w.client.Get(w.t.Context(), name, key); err != nil {
			w.t.Fatal(err)
		}
		patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"revoked":true}}`))
		if err := w.client.Patch(w.t.Context(), key, patch); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, w.within(patience, "revocation", func() bool {
			return w.everywhere(func(r *replica) bool { code, _ := r.model(plaintext(930000+i), "many-1"); return code == 401 })
		}))
	}
	return all
}

// secretOf is a provider's Secret.
func secretOf(namespace, name, key string) *corev1.Secret {
	s := &corev1.Secret{StringData: map[string]string{"api-key": key}}
	s.Namespace, s.Name = namespace, name
	return s
}

// converge bounds how long an operator may take over ten thousand keys that come at once: two status writes for each.
const converge = 8 * time.Minute

// settled waits until the last of many objects is Ready, and says how long that took.
func (w *world) settled(o client.Object) {
	w.t.Helper()
	took := w.within(converge, "Ready of the last of many objects", func() bool {
		if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			w.t.Fatal(err)
		}
		key, ok := o.(*v1alpha1.ApiKey)
		return ok && readyAt(key.Status.Conditions) == key.Generation
	})
	fmt.Printf("the last of %d keys is Ready %s after it was applied\n", manyKeys, took.Round(time.Second))
}
