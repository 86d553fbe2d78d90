// Package kubernetes publishes what one gateway instance needs to know from a Kubernetes API server: routes, the compiled
// Secret with credentials and key ring, the instance itself, labels of namespaces where a Selector is used, and API keys.
//
// It decides what has to be watched and when something changed that matters. It never decides what a route or key means
// (package table does), it never writes, and it never gives up what it last knew: with the API server away it goes on from
// there, and Staleness says how old that is.
//
// One goroutine, the owner, holds all state. Watches feed it through one channel. It hands inputs to a builder goroutine, so
// that a slow table never delays the revocation of a key.
package kubernetes
