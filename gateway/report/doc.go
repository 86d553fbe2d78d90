// Package report holds what a gateway writes to the API server: what it is (GatewayReplica) and what was used (UsageReport). It decides
// when to write and how often; what is ready, what is loaded and what was counted others tell it. Of UsageReports it reads those of
// all replicas, too. Serving never waits for it, but for what a replica must know before it first calls itself ready, and for a budget
// of which other replicas may have left something.
//
// A live UsageReport belongs to one process, which writes it only in the version that it knows. Whoever else touches it ends it: the
// operator, before it merges a report into the archive, seals it, after which its content is final. A process that finds its
// report sealed, merged or taken over leaves it what it holds, takes that out of its book, and goes on in another report. So each
// amount is in exactly one place at any moment, whoever is mistaken about who lives.
package report
