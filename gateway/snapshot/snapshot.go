// Package snapshot binds a table to what a pure table cannot hold (adapters, connections, metrics with their labels) and
// publishes the result. A request loads the snapshot once and keeps it to its end, so a change never touches a request in
// flight.
package snapshot

import (
	"fmt"
	"sync/atomic"

	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/gateway/upstream"
)

// Operations, as metrics name them: OpenTelemetry's word where it has one.
const (
	OperationChat   = "chat"
	OperationImage  = "image_generation"
	OperationVideo  = "video_generation"
	OperationSpeech = "speech"
	OperationMusic  = "music_generation"
)

// operations are the operations by modality.
var operations = map[provider.Modality]string{
	provider.ModalityChat: OperationChat, provider.ModalityImage: OperationImage, provider.ModalityVideo: OperationVideo,
	provider.ModalitySpeech: OperationSpeech, provider.ModalityMusic: OperationMusic,
}

// Snapshot is a table ready to serve. It is immutable and safe for concurrent use.
type Snapshot struct {
	Table    *table.Table
	routes   map[*table.Route]*Route
	accounts map[string]*Account
}

// Route is a route ready to serve. Read only.
type Route struct {
	*table.Route
	// Targets are those of all tiers, in their order; nil where one cannot be used. Balance chooses among their places.
	Targets   []*Target
	Balance   *balance.Route
	Fallbacks []*Route
	Metrics   *metrics.Route
}

// Target is a target ready to be called. Read only but for the endpoint's own state.
type Target struct {
	*table.Target
	*Account
	// Upstream is the account with the target's model and parameters.
	Upstream provider.Upstream
	Metrics  *metrics.Target
}

// Account is a credential ready to be called with. Read only but for the endpoint's own state.
type Account struct {
	provider.Adapter
	credential *table.Credential
	Endpoint   *upstream.Endpoint
}

// At returns what an adapter may know of the account for calls about a model of the vendor's.
func (a *Account) At(model string) provider.Upstream {
	return provider.Upstream{
		Endpoint: a.credential.Endpoint,
		Model:    model,
		Protocol: a.credential.Protocol,
		Secrets:  a.credential.Secrets,
		Header:   a.credential.Header,
	}
}

// Account returns the account of a credential by namespace/name, or nil if no route uses it.
func (s *Snapshot) Account(credential string) *Account {
	if s == nil {
		return nil
	}
	return s.accounts[credential]
}

// Resolve returns the route of a public name or alias, or nil.
func (s *Snapshot) Resolve(model string) *Route {
	if s == nil {
		return nil
	}
	return s.routes[s.Table.Resolve(model)]
}

// Deps are what Bind takes from.
type Deps struct {
	Adapters map[string]provider.Adapter
	Pool     *upstream.Pool
	Metrics  *metrics.Metrics
	// Balance keeps what requests show of targets, from one table to the next.
	Balance *balance.Registry
}

// Bind makes a table ready to serve. Targets that cannot be bound are left out and reported as errors; they never keep the
// rest from serving. It is called by one goroutine at a time.
func Bind(t *table.Table, deps Deps) (*Snapshot, []error) {
	b := binder{
		deps: deps, currency: t.Currency(), balance: deps.Balance.Bind(),
		endpoints: map[*upstream.Endpoint]struct{}{}, accounts: map[string]*Account{},
	}
	s := &Snapshot{Table: t, routes: make(map[*table.Route]*Route, len(t.Routes())+1), accounts: b.accounts}
	models := make(map[string]struct{}, len(t.Routes())+1)
	for _, r := range t.Routes() {
		s.routes[r] = b.route(r)
		models[r.Model] = struct{}{}
	}
	for r, bound := range s.routes {
		for _, f := range r.Fallbacks {
			bound.Fallbacks = append(bound.Fallbacks, s.routes[f])
		}
	}
	b.balance.Done()
	deps.Pool.Keep(b.endpoints)
	deps.Metrics.Keep(models)
	return s, b.errs
}

// binder collects while a table is bound.
type binder struct {
	deps      Deps
	currency  string
	balance   *balance.Binding
	endpoints map[*upstream.Endpoint]struct{}
	accounts  map[string]*Account
	errs      []error
}

// errTooManyTargets means a target beyond those that a route may have.
var errTooManyTargets = fmt.Errorf("a route uses %d targets at most", balance.MaxTargets)

// route binds one route.
func (b *binder) route(r *table.Route) *Route {
	bound := &Route{Route: r}
	vendor := ""
	usable := map[*table.Target]bool{}
	for i := range r.Tiers {
		for _, t := range r.Tiers[i].Targets {
			target, err := b.target(r, t)
			if err == nil && len(bound.Targets) >= balance.MaxTargets {
				target, err = nil, errTooManyTargets
			}
			if err != nil {
				b.errs = append(b.errs, fmt.Errorf("binding target %s: %w", t.ID, err))
			} else if vendor == "" {
				vendor = t.Credential.Provider
			}
			usable[t] = target != nil
			bound.Targets = append(bound.Targets, target)
		}
	}
	bound.Balance = b.balance.Route(r, func(t *table.Target) bool { return usable[t] })
	bound.Metrics = b.deps.Metrics.Route(OperationOf(r), r.Model, vendor, b.currency)
	return bound
}

// target binds one target; nil with an error if that is impossible.
func (b *binder) target(r *table.Route, t *table.Target) (*Target, error) {
	account, err := b.account(t.Credential)
	if err != nil {
		return nil, err
	}
	if !account.Info.Serves(provider.Modality(r.Modality)) {
		return nil, fmt.Errorf("provider %q has no adapter for %s", t.Credential.Provider, r.Modality)
	}
	bound := &Target{Target: t, Account: account, Metrics: b.deps.Metrics.Target(r.Model, t.ID), Upstream: account.At(t.Model)}
	bound.Upstream.Parameters = t.Parameters
	return bound, nil
}

// account binds a credential, once for all its targets.
func (b *binder) account(c *table.Credential) (*Account, error) {
	if a := b.accounts[c.ID()]; a != nil {
		return a, nil
	}
	adapter, ok := b.deps.Adapters[c.Provider]
	if !ok {
		return nil, fmt.Errorf("there is no adapter for provider %q", c.Provider)
	}
	endpoint, err := b.deps.Pool.Endpoint(c)
	if err != nil {
		return nil, err
	}
	b.endpoints[endpoint] = struct{}{}
	a := &Account{Adapter: adapter, credential: c, Endpoint: endpoint}
	b.accounts[c.ID()] = a
	return a, nil
}

// OperationOf is the name of what a route does, for metrics.
func OperationOf(r *table.Route) string { return operations[provider.Modality(r.Modality)] }

// Holder publishes the current snapshot. Load is one atomic read; the zero Holder holds nil, which resolves nothing.
type Holder struct{ current atomic.Pointer[Snapshot] }

// Load returns the current snapshot. A request calls it once.
func (h *Holder) Load() *Snapshot { return h.current.Load() }

// Swap publishes a snapshot. It is called by the building goroutine only.
func (h *Holder) Swap(s *Snapshot) { h.current.Store(s) }
