package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// tenure is the namespace that holds or lately held a public name.
type tenure struct {
	namespace string
	// ended is when it was first seen not to hold it any more; zero while it does.
	ended time.Time
}

// tenures remembers the names of every instance, so that nobody who waits beside the holder of a name gets its prompts while
// its route is recreated. It belongs to the compiler's goroutine.
type tenures struct {
	clock clock.PassiveClock
	byUID map[types.UID]map[string]tenure
}

// newTenures makes an empty memory.
func newTenures(c clock.PassiveClock) *tenures {
	return &tenures{clock: c, byUID: map[types.UID]map[string]tenure{}}
}

// of returns the names that an instance's own namespace held when they were last looked at, or lately. Those it still holds are among
// them: a table that finds one without its holder is the first to see it given up.
func (t *tenures) of(instance *v1alpha1.GatewayInstance) map[string]string {
	now := t.clock.Now()
	held := make(map[string]string, len(t.byUID[instance.UID]))
	for name, tenure := range t.byUID[instance.UID] {
		if tenure.ended.IsZero() || now.Before(tenure.ended.Add(table.NameTenure)) {
			held[name] = tenure.namespace
		}
	}
	return held
}

// note takes over who holds the names now. Only those of the instance's own namespace are kept for it, as the gateways do.
func (t *tenures) note(instance *v1alpha1.GatewayInstance, holders map[string]string) {
	names := t.byUID[instance.UID]
	if names == nil {
		names = map[string]tenure{}
		t.byUID[instance.UID] = names
	}
	now := t.clock.Now()
	for name, held := range names {
		if _, holds := holders[name]; !holds && held.ended.IsZero() {
			names[name] = tenure{namespace: held.namespace, ended: now}
		}
	}
	for name, namespace := range holders {
		delete(names, name)
		if namespace == instance.Namespace {
			names[name] = tenure{namespace: namespace}
		}
	}
}

// expire forgets instances that are gone and tenures that are over, and says when the next one will be (zero: none is about
// to).
func (t *tenures) expire(instances []*v1alpha1.GatewayInstance) time.Duration {
	known := map[types.UID]bool{}
	for _, instance := range instances {
		known[instance.UID] = true
	}
	now := t.clock.Now()
	var next time.Time
	for uid, names := range t.byUID {
		if !known[uid] {
			delete(t.byUID, uid)
			continue
		}
		for name, held := range names {
			end := held.ended.Add(table.NameTenure)
			switch {
			case held.ended.IsZero():
			case now.Before(end):
				next = earliest(next, end)
			default:
				delete(names, name)
			}
		}
	}
	if next.IsZero() {
		return 0
	}
	return next.Sub(now)
}
