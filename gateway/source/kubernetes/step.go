package kubernetes

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/table"
)

// idle is how long the owner sleeps when nothing is due.
const idle = time.Hour

// step does what is due, after changes, builds and timers alike, and returns how long nothing more will be due.
func (o *owner) step() time.Duration {
	o.adopt()
	o.nudge()
	now := o.clock.Now()
	if end := o.held.next(); !end.IsZero() && !now.Before(end) {
		o.mark(true)
	}
	if o.buildDue(now) {
		o.startBuild(now)
	}
	o.tell()
	return o.nextStep(now)
}

// adopt puts complete groups in use, and then the instance that asked for them.
func (o *owner) adopt() {
	if o.settle(&o.routes) {
		o.mark(true)
	}
	if o.settle(&o.keys) {
		o.replaceKeys()
	}
	if o.pending != nil && o.routes.complete() && o.keys.complete() {
		o.adopted, o.pending = o.pending, nil
		o.mark(true)
	}
}

// nudge starts watches again that hold up what their group can vouch for.
func (o *owner) nudge() {
	now := o.clock.Now()
	for k, g := range map[kind]*group{kindRoutes: o.routes.current, kindKeys: o.keys.current} {
		for _, w := range g.laggards(now) {
			g.swap(w, o.open(k, g.parts[w].namespace), now)
			o.shut(w)
		}
	}
}

// buildDue says whether it is time for a table.
func (o *owner) buildDue(now time.Time) bool {
	if !o.dirty || o.building || now.Before(o.quietAt()) || o.adopted == nil || !o.secret.synced() {
		return false
	}
	o.watchNamespaces(now)
	return o.namespaces == nil || o.namespaces.synced() || !now.Before(o.namespacesSince.Add(namespaceGrace))
}

// quietAt is when enough changes were waited for.
func (o *owner) quietAt() time.Time {
	quiet, ceiling := o.lastDirt.Add(quietTime), o.dirtySince.Add(ceilingTime)
	if quiet.Before(ceiling) {
		return quiet
	}
	return ceiling
}

// watchNamespaces watches labels while somebody selects by them. In namespaced mode they cannot be read.
func (o *owner) watchNamespaces(now time.Time) {
	needed := o.watched == nil && o.selectorInUse()
	switch {
	case needed && o.namespaces == nil:
		o.namespaces, o.namespacesSince, o.namespacesMissing = o.openGroup(kindNamespaces, []string{everywhere}), now, false
	case !needed && o.namespaces != nil:
		o.shutGroup(o.namespaces)
		o.namespaces = nil
	}
}

// selectorInUse looks at everything that may select namespaces by labels.
func (o *owner) selectorInUse() bool {
	if instanceSelects(o.adopted) || slices.ContainsFunc(o.credentials, func(c *v1alpha1.ProviderCredential) bool {
		return selects(c.Spec.AllowedNamespaces)
	}) {
		return true
	}
	found := false
	o.routes.current.each(func(_ types.NamespacedName, value any) {
		found = found || selectsAllowed(value.(*v1alpha1.ModelRoute).Spec.AllowedKeys)
	})
	return found
}

// startBuild hands an input to the builder.
func (o *owner) startBuild(now time.Time) {
	if o.namespaces != nil && !o.namespaces.synced() && !o.namespacesMissing {
		o.namespacesMissing = true
		o.logger.Error("Labels of namespaces cannot be read; selectors match nothing until they can")
	}
	in := o.input(now)
	o.logger.Debug("Building table", "routes", len(in.Routes), "credentials", len(in.Credentials), "events", o.events)
	o.inBuild = o.tableVersions()
	o.dirty, o.building, o.events = false, true, 0
	o.buildingSince = o.dirtySince
	o.build(in)
}

// built notes that a build is done. One that failed is not tried again until something changes.
func (o *owner) built(ok bool) {
	o.building = false
	if ok {
		o.tableServes = true
		o.served.ModelRoutes, o.served.Credentials = o.inBuild.ModelRoutes, o.inBuild.Credentials
		o.served.GatewayInstance = o.inBuild.GatewayInstance
		if o.sink.Propagated != nil {
			o.sink.Propagated(o.clock.Now().Sub(o.buildingSince))
		}
	}
	o.failed = !ok
}

// input collects what a table is made of, in an order that does not depend on chance.
func (o *owner) input(now time.Time) table.Input {
	in := table.Input{
		Instance: o.adopted, Credentials: o.credentials, CredentialStates: o.states, Redis: o.redis,
		WatchedNamespaces: o.watched, Providers: o.providers, Routes: make([]*v1alpha1.ModelRoute, 0, o.routes.current.len()),
	}
	o.routes.current.each(func(_ types.NamespacedName, value any) {
		in.Routes = append(in.Routes, value.(*v1alpha1.ModelRoute))
	})
	slices.SortFunc(in.Routes, func(a, b *v1alpha1.ModelRoute) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	o.held.observe(now, namesOf(o.id.Namespace, in.Routes))
	in.Held = o.held.names()
	if o.watched == nil {
		in.Namespaces = map[string]map[string]string{}
		o.namespaces.each(func(id types.NamespacedName, value any) { in.Namespaces[id.Name] = value.(map[string]string) })
	}
	return in
}

// tableVersions is how far the state has come that an input is made of now. While an instance waits for what it serves, it
// is as far as it was: versions of the old scope say nothing of the new one.
func (o *owner) tableVersions() source.Versions {
	v := o.served
	if o.pending == nil {
		v.ModelRoutes = o.routes.current.version()
		v.GatewayInstance = o.instance.version()
	}
	if !o.undecoded {
		v.Credentials = o.secret.version()
	}
	return v
}

// tell says how far what is served has come, if that changed.
func (o *owner) tell() {
	if !o.tableServes || !o.keysServe {
		return
	}
	if !o.dirty && !o.building && !o.failed {
		o.served = o.tableVersions()
	}
	if o.pending == nil {
		o.served.ApiKeys = o.keys.current.version()
	}
	if o.served != o.told {
		o.told = o.served
		if o.sink.Loaded != nil {
			o.sink.Loaded(o.served)
		}
	}
	if !o.isSynced {
		o.isSynced = true
		o.synced()
	}
}

// nextStep is how long nothing will be due.
func (o *owner) nextStep(now time.Time) time.Duration {
	wait := idle
	until := func(t time.Time) {
		if d := t.Sub(now); d < wait {
			wait = max(d, time.Millisecond)
		}
	}
	if o.dirty && !o.building && o.adopted != nil && o.secret.synced() {
		until(o.quietAt())
		if o.namespaces != nil && !o.namespaces.synced() && !now.Before(o.quietAt()) {
			wait = idle
			until(o.namespacesSince.Add(namespaceGrace))
		}
	}
	if end := o.held.next(); !end.IsZero() && !o.building {
		until(end)
	}
	if o.routes.current.lagging() || o.keys.current.lagging() {
		until(now.Add(lagTolerance))
	}
	return wait
}
