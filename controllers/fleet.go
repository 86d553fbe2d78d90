package controllers

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// fleets is what is known of the replicas of every instance, and which objects wait for them. It is safe for concurrent use.
type fleets struct {
	mu         sync.Mutex
	byInstance map[types.NamespacedName][]replica
	waiting    map[types.NamespacedName]map[table.ObjectRef]need
	// trouble is what keeps pods of an instance from being ready.
	trouble map[types.NamespacedName]string
}

// newFleets makes an empty one.
func newFleets() *fleets {
	return &fleets{
		byInstance: map[types.NamespacedName][]replica{},
		waiting:    map[types.NamespacedName]map[table.ObjectRef]need{},
		trouble:    map[types.NamespacedName]string{},
	}
}

// set notes the ready replicas of an instance, which must not be changed afterwards.
func (f *fleets) set(instance types.NamespacedName, ready []replica) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byInstance[instance] = ready
}

// forget drops an instance that is gone.
func (f *fleets) forget(instance types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.byInstance, instance)
	delete(f.trouble, instance)
}

// setTrouble notes what keeps pods of an instance from being ready (empty: nothing), and says whether that is news.
func (f *fleets) setTrouble(instance types.NamespacedName, trouble string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trouble[instance] == trouble {
		return false
	}
	f.trouble[instance] = trouble
	return true
}

// troubles is what keeps pods of an instance from being ready; empty for nothing.
func (f *fleets) troubles(instance types.NamespacedName) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trouble[instance]
}

// ready returns the ready replicas of an instance. The slice must not be changed. False means that nobody has counted them yet:
// after a start, nothing may be concluded from that.
func (f *fleets) ready(instance types.NamespacedName) ([]replica, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ready, counted := f.byInstance[instance]
	return ready, counted
}

// wait says that an object wants to be looked at when the replicas of some instances change. Whoever waits does so before
// looking, or a change in between is missed.
func (f *fleets) wait(ref table.ObjectRef, needs ...need) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range needs {
		if f.waiting[n.instance] == nil {
			f.waiting[n.instance] = map[table.ObjectRef]need{}
		}
		f.waiting[n.instance][ref] = n
	}
}

// rest ends the waiting of an object, for all instances.
func (f *fleets) rest(ref table.ObjectRef) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for instance, refs := range f.waiting {
		delete(refs, ref)
		if len(refs) == 0 {
			delete(f.waiting, instance)
		}
	}
}

// due returns the objects that wait for an instance and have something to gain from being looked at. Routes show how many
// replicas have loaded them; of keys there can be many, so they are due only once every ready replica has what they need.
func (f *fleets) due(instance types.NamespacedName) []table.ObjectRef {
	f.mu.Lock()
	defer f.mu.Unlock()
	var refs []table.ObjectRef
	for ref, n := range f.waiting[instance] {
		behind := func(r replica) bool { return !n.met(r) }
		if ref.Kind == v1alpha1.KindApiKey && slices.ContainsFunc(f.byInstance[instance], behind) {
			continue
		}
		refs = append(refs, ref)
	}
	return refs
}

// compiledSecret is what is known of the compiled Secret of an instance.
type compiledSecret struct {
	// uid of the instance; empty as long as nobody has looked.
	uid types.UID
	// digest of the credentials, version of the Secret that holds them. Empty if there is none that is the instance's.
	digest, version string
	// ring is the digest of the key ring in it, empty for none.
	ring string
}

// compiledSecrets remembers the compiled Secret of every instance. It is safe for concurrent use.
type compiledSecrets struct {
	mu         sync.Mutex
	byInstance map[types.NamespacedName]compiledSecret
}

// newCompiledSecrets makes an empty memory.
func newCompiledSecrets() *compiledSecrets {
	return &compiledSecrets{byInstance: map[types.NamespacedName]compiledSecret{}}
}

// set notes the Secret of an instance and says whether that is news.
func (c *compiledSecrets) set(instance types.NamespacedName, secret compiledSecret) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byInstance[instance] == secret {
		return false
	}
	c.byInstance[instance] = secret
	return true
}

// get returns the Secret of an instance, the zero value if none is known.
func (c *compiledSecrets) get(instance types.NamespacedName) compiledSecret {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byInstance[instance]
}

// forget drops an instance.
func (c *compiledSecrets) forget(instance types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byInstance, instance)
}
