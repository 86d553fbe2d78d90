// Package controllers is the operator: it writes what table.Build finds into the conditions of routes, keys and credentials,
// makes and rotates API keys, compiles provider credentials into one Secret for each GatewayInstance, runs the gateways, and
// says Ready only when they have loaded what was declared.
//
// One goroutine, the compiler, turns the objects of the cache into a compilation; reconcilers read it and write the status of
// one object. What a condition means is decided in table.Build and in the pure functions of the <kind>_status.go files, what
// the owned objects look like in render. The package knows nothing of requests, adapters or the gateway's inside.
package controllers
