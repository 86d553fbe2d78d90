package kubernetes

import (
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// quietTime is how long the owner waits for more changes after the last one before a table is built, and ceilingTime how
	// long at most after the first one.
	quietTime   = 10 * time.Millisecond
	ceilingTime = 100 * time.Millisecond

	// namespaceGrace is how long a table waits for labels of namespaces. Whoever may write a route can ask for them, and they
	// may be denied to us: that must not hold up everybody else's changes for ever.
	namespaceGrace = 5 * time.Second

	// manyKeys is the number of changes in one list from which on all keys are handed over at once.
	manyKeys = 100
)

// owner holds all state of a source. It is used by one goroutine, starts none and never blocks but in Sink.Keys, Sink.KeyRing
// and Sink.Loaded.
type owner struct {
	id        types.NamespacedName
	watched   []string
	providers table.Providers
	sink      source.Sink
	logger    *slog.Logger
	clock     clock.PassiveClock
	open      func(k kind, namespace string) *watcher
	shut      func(w *watcher)
	decode    func(data map[string][]byte) ([]*v1alpha1.ProviderCredential, map[types.NamespacedName]table.CredentialState, error)
	build     func(in table.Input) // starts a build; built is called when it is done
	synced    func()               // called once, when the first table and keys serve

	instance, secret  *group
	namespaces        *group // nil while no Selector is in use
	namespacesSince   time.Time
	namespacesMissing bool // that labels are missing was logged
	routes, keys      coverage
	pending, adopted  *v1alpha1.GatewayInstance // pending: its scopes are not covered yet

	rules   *table.KeyRules               // of the latest instance; nil: none was seen
	surplus map[types.NamespacedName]bool // keys beyond the number that the rules allow

	credentials []*v1alpha1.ProviderCredential
	states      map[types.NamespacedName]table.CredentialState
	redis       *table.RedisState
	ring        keyring.Ring // the last one that was handed over; zero: none
	undecoded   bool         // the compiled Secret cannot be read as a whole; parts of an older one are in use
	held        heldNames

	dirty                bool
	dirtySince, lastDirt time.Time
	buildingSince        time.Time // dirtySince of the build under way
	events               int       // changes since the last build
	building             bool
	inBuild              source.Versions
	failed               bool // the last build failed; what is served is older
	tableServes          bool
	keysServe            bool
	served, told         source.Versions
	isSynced             bool
}

// begin opens the watches that do not depend on anything.
func (o *owner) begin() {
	o.held.namespace = o.id.Namespace
	o.instance = o.openGroup(kindInstance, []string{o.id.Namespace})
	o.secret = o.openGroup(kindSecret, []string{o.id.Namespace})
}

// openGroup opens the watches of a scope.
func (o *owner) openGroup(k kind, scope []string) *group {
	g := &group{scope: scope, parts: make(map[*watcher]*part, len(scope)), equal: equalFor(k)}
	for _, namespace := range scope {
		g.parts[o.open(k, namespace)] = &part{namespace: namespace, items: map[types.NamespacedName]any{}}
	}
	return g
}

// shutGroup ends the watches of a group.
func (o *owner) shutGroup(g *group) {
	if g == nil {
		return
	}
	for w := range g.parts {
		o.shut(w)
	}
}

// apply takes a change, and is followed by step.
func (o *owner) apply(c change) {
	if changed, ok := o.instance.apply(c); ok {
		o.instanceChanged(c, changed)
		return
	}
	if changed, ok := o.secret.apply(c); ok {
		o.secretChanged(changed)
		return
	}
	if changed, ok := o.namespaces.apply(c); ok {
		o.mark(len(changed) > 0)
		return
	}
	if changed, ok := o.routes.current.apply(c); ok {
		o.mark(len(changed) > 0)
		return
	}
	if _, ok := o.routes.next.apply(c); ok {
		return
	}
	if changed, ok := o.keys.current.apply(c); ok {
		o.keysChanged(changed)
		return
	}
	o.keys.next.apply(c)
}

// mark notes that the table is out of date.
func (o *owner) mark(changed bool) {
	if !changed {
		return
	}
	now := o.clock.Now()
	if !o.dirty {
		o.dirty, o.dirtySince = true, now
	}
	o.lastDirt = now
	o.events++
}

// instanceChanged takes a new spec. It is adopted when everything it serves can be seen.
func (o *owner) instanceChanged(c change, changed []types.NamespacedName) {
	if len(changed) == 0 && (c.op != opList || o.instance.get(o.id) != nil) {
		return
	}
	latest, _ := o.instance.get(o.id).(*v1alpha1.GatewayInstance)
	if latest == nil {
		o.logger.Warn("GatewayInstance does not exist; waiting, and serving what was known before", "gatewayInstance", o.id.String())
		return
	}
	o.pending = latest
	o.rulesChanged(latest)
	o.want(&o.routes, kindRoutes, routeScope(latest, o.watched))
	o.want(&o.keys, kindKeys, keyScope(latest, o.watched))
}

// secretChanged takes new credentials and a new key ring, each for itself. A Secret that vanished or cannot be read does not take
// away those that are in use: it is the operator's, which writes it again, while deleting a credential leaves a Secret without
// it.
func (o *owner) secretChanged(changed []types.NamespacedName) {
	if len(changed) == 0 {
		return
	}
	data, ok := o.secret.get(changed[0]).(map[string][]byte)
	if !ok {
		o.logger.Warn("Compiled Secret was deleted; serving the credentials known before", "secret", changed[0].String())
		return
	}
	o.undecoded = false
	if err := o.keyRingChanged(data); err != nil {
		o.undecoded = true
		o.logger.Error("Key ring in the compiled Secret cannot be read; using the one known before, if any",
			"secret", changed[0].String(), "err", err)
	}
	o.redisChanged(changed[0], data)
	creds, states, err := o.decode(data)
	if err != nil {
		o.undecoded = true
		o.logger.Error("Compiled Secret cannot be read; serving the credentials known before", "secret", changed[0].String(), "err", err)
		return
	}
	o.credentials, o.states = creds, states
	o.mark(true)
}

// redisChanged takes what the Redis of the instance asks for, from a compiled Secret.
func (o *owner) redisChanged(secret types.NamespacedName, data map[string][]byte) {
	redis, err := table.DecodeRedis(data)
	if err != nil {
		o.undecoded = true
		o.logger.Error("What Redis asks for cannot be read in the compiled Secret; using what was known before, if anything",
			"secret", secret.String(), "err", err)
		return
	}
	o.mark(!reflect.DeepEqual(redis, o.redis))
	o.redis = redis
}

// keyRingChanged hands over the ring of a compiled Secret at once, so that it is in use before anybody hears that this Secret was
// loaded. A Secret without one, as operators before the key ring wrote it, changes nothing.
func (o *owner) keyRingChanged(data map[string][]byte) error {
	text, ok := data[keyring.Entry]
	if !ok || o.sink.KeyRing == nil {
		return nil
	}
	ring, err := keyring.Parse(text)
	if err != nil {
		return fmt.Errorf("reading entry %s: %w", keyring.Entry, err)
	}
	if !ring.Equal(o.ring) {
		o.ring = ring
		o.sink.KeyRing(ring)
	}
	return nil
}
