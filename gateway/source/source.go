// Package source is the contract between what finds objects (a Kubernetes API server, a directory of manifests) and what
// serves them. A source decides when something changed and hands over whole inputs of a table and single API keys; it knows
// nothing of requests, and publishes only by calling the functions of a Sink.
package source

import (
	"time"

	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/table"
)

// Versions are resource versions up to which a publication includes every change. An empty one means that nothing is
// known yet, or that the source has no versions (manifests).
type Versions struct {
	ModelRoutes     string
	ApiKeys         string
	Credentials     string
	GatewayInstance string
}

// Keys takes API keys one by one. Calls come from one goroutine, and what a call says is served when it returns. Keys that
// are handed over belong to the callee and are not changed afterwards.
type Keys interface {
	// Replace makes keys, in any order, all that there are.
	Replace(keys []*table.Key)
	// Put adds a key or replaces the one of the same namespace and name.
	Put(key *table.Key)
	// Delete removes a key. One that is not there is no error.
	Delete(namespace, name string)
}

// Sink takes what a source publishes.
type Sink struct {
	// Table builds and serves a table; it returns once the new table serves. Calls come from one goroutine, which is not that
	// of Keys: a revocation does not wait for a table. The objects of the input are shared with later inputs: read only.
	Table func(in table.Input)
	// Keys takes the API keys.
	Keys Keys
	// KeyRing takes the ring that the ids of jobs are sealed with, when there is one and when it changes. Calls come from one
	// goroutine, and what a call says is in use when it returns. Until the first call there is no ring, and nothing can be
	// sealed. Nil: not called.
	KeyRing func(ring keyring.Ring)
	// Loaded is called after the parts it speaks of serve, and only if a version moved. Calls come from one goroutine. Versions
	// of routes and keys speak of what the instance serves by the version of GatewayInstance: while a wider scope is being
	// listed, none of them moves. Nil: not called.
	Loaded func(v Versions)
	// Propagated is called for each table that serves, with the time since the first change it brings was seen. Nil: not called.
	Propagated func(d time.Duration)
}
