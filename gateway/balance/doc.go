// Package balance decides which target of a route gets a request. It keeps what requests show of targets and credentials (failures,
// refusals, pauses that vendors ask for, what is under way) beside the tables, by identity, so that it outlives them; it chooses by
// that and by weight; and it bounds how many requests are repeated. It knows neither HTTP nor what a request asks.
//
// A request chooses with [Route.Pick], which gives it a [Lease], and says through the lease what became of it. That costs a few atomic
// operations and no allocation; a lock is taken only where a failure is reported or a limit of requests per minute is counted, and is
// never held over a request.
//
// # Ejection
//
// A target is ejected after five failures in a row, after three timeouts in a row, or if half of at least twenty requests within
// thirty seconds failed; for ten seconds at first and twice as long each time it happens again, up to five minutes. After that one request
// is let through. If it succeeds, the target is back, and its weight grows to the full one within thirty seconds. The last target
// of a route that could be called is never ejected, and a target that becomes the last one is brought back at once.
//
// What is sure to fail is dead: a credential that the vendor refuses or that has no money, a target whose model the vendor does not
// know, is not allowed or has used up its quota. Three refusals in a row say so, since a single one may be about its request. A dead one gets
// one request after thirty seconds, then after twice as long, up to ten minutes, until one succeeds or the credential or target is
// changed.
//
// Which failures count for what is decided by their class alone: those of clients never do.
//
// # Choice
//
// The lowest tier with a target that can be called serves. Within it two targets are drawn by weight, and the first one is taken unless
// the second has less under way for its weight (power of two choices): shares follow the weights while all targets are equally
// quick, and a slow one gets less. Routes with affinity choose by a hash of the conversation instead (weighted rendezvous), so that
// every replica sends it to the same target, and only conversations of a target that fails move.
//
// Breakers of libraries were looked at and do not fit: they guard one operation each, so none can know that it holds the last target of
// a route; a lock, a closure for each request and the real clock are built in; and none tells a refused credential from a failed request.
package balance
