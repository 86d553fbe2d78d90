package kubernetes

import (
	"reflect"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// rulesChanged takes what an instance says of all its keys. It holds at once for those that are served: tighter constraints do not
// wait for a table.
func (o *owner) rulesChanged(latest *v1alpha1.GatewayInstance) {
	rules := table.CompileKeyRules(latest)
	if reflect.DeepEqual(rules, o.rules) {
		return
	}
	o.rules = rules
	if o.keysServe {
		o.replaceKeys()
	}
}

// keysChanged publishes keys at once.
func (o *owner) keysChanged(changed []types.NamespacedName) {
	switch {
	case !o.keysServe || len(changed) == 0:
		return
	case len(changed) >= manyKeys:
		o.replaceKeys()
		return
	}
	changed = o.recount(changed)
	var put []*table.Key
	for _, id := range changed {
		declared, _ := o.keys.current.get(id).(*table.Key)
		if key := o.admit(id, declared); key != nil {
			put = append(put, key)
		} else {
			o.sink.Keys.Delete(id.Namespace, id.Name)
		}
	}
	for _, key := range put { // after those that make room
		o.sink.Keys.Put(key)
	}
}

// replaceKeys hands over all keys.
func (o *owner) replaceKeys() {
	declared := make([]*table.Key, 0, o.keys.current.len())
	o.keys.current.each(func(_ types.NamespacedName, value any) { declared = append(declared, value.(*table.Key)) })
	o.surplus = nil
	o.noteSurplus(declared)
	all := make([]*table.Key, 0, len(declared))
	for _, k := range declared {
		if key := o.admit(types.NamespacedName{Namespace: k.Namespace, Name: k.Name}, k); key != nil {
			all = append(all, key)
		}
	}
	o.sink.Keys.Replace(all)
	o.keysServe = true
}

// admit returns what is served of a key: nil if there is none, if the rules do not accept it, or if there are too many. The key's
// status says which.
func (o *owner) admit(id types.NamespacedName, declared *table.Key) *table.Key {
	if declared == nil || o.surplus[id] {
		return nil
	}
	if o.rules == nil {
		return declared
	}
	key, _ := o.rules.Apply(declared)
	return key
}

// recount finds out which keys are too many, if the number of keys is bounded, and adds those to the changed ones for which that
// became different.
func (o *owner) recount(changed []types.NamespacedName) []types.NamespacedName {
	if o.rules == nil || !o.rules.MaxKeys.Set {
		return changed
	}
	touched, listed := map[string]bool{}, map[types.NamespacedName]bool{}
	for _, id := range changed {
		touched[id.Namespace], listed[id] = true, true
	}
	before := map[types.NamespacedName]bool{}
	for id := range o.surplus {
		if touched[id.Namespace] {
			before[id] = true
			delete(o.surplus, id)
		}
	}
	var declared []*table.Key
	o.keys.current.each(func(id types.NamespacedName, value any) {
		if touched[id.Namespace] {
			declared = append(declared, value.(*table.Key))
		}
	})
	o.noteSurplus(declared)
	for _, k := range declared {
		if id := (types.NamespacedName{Namespace: k.Namespace, Name: k.Name}); !listed[id] && before[id] != o.surplus[id] {
			changed = append(changed, id)
		}
	}
	return changed
}

// noteSurplus remembers which keys of some whole namespaces are too many.
func (o *owner) noteSurplus(declared []*table.Key) {
	if o.rules == nil {
		return
	}
	for _, k := range o.rules.Surplus(declared) {
		if o.surplus == nil {
			o.surplus = map[types.NamespacedName]bool{}
		}
		o.surplus[types.NamespacedName{Namespace: k.Namespace, Name: k.Name}] = true
	}
}
