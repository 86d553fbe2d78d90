// Package report holds what a gateway writes to the API server. It decides when to write and how often; what is ready and
// what is loaded others tell it. It reads nothing back but what a write answers, and serving never waits for it, but for the
// one write before a replica first calls itself ready.
package report
