// Package redisquota lets replicas decide on limits together, exactly, in a Redis or Valkey.
//
// # What Redis holds
//
// For each owner of limits (a key, or what the keys of a namespace share) a hash with one row of each replica: its requests and tokens of
// the minute, the requests that run, what they have reserved, and all that it has counted of each budget. A row is absolute and
// written whole, so nothing is added twice and nothing is missed for good. What a budget has spent is what all usage reports said when
// they were last read, and for each row what it owns up to beyond the page that was read. So Redis is never the only one who knows of
// money: what it loses, reports and replicas tell again.
//
// For each bucket of owners there is a marker: its epoch, when that began, and who was heard of when. A replica is heard of every
// greetEvery; the rows of one that is silent for Lease count no more, and neither do the places of concurrency that they hold.
//
// # When something is lost
//
// A replica finds out that Redis may have lost something when the marker is gone (FLUSHALL), when the server does not know the scripts
// (it was restarted, or another has taken its place, and may have missed the last second), or when its own row or greeting is older than
// what was acknowledged. Then a new epoch begins. Nobody is admitted in it before all replicas have told their rows anew, or patience is
// over, after which who was not heard of must be gone. Requests wait for that meanwhile: a few milliseconds as a rule.
//
// # Cluster
//
// All that one script touches has the same hash tag. In a cluster owners are spread by namespace over a few tags, each a bucket with
// a marker of its own; otherwise there is one.
package redisquota
