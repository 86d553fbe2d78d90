// Package table compiles what admins declare into what the gateway serves. Build is pure: no clock, no client, no I/O; so the
// gateway that serves the Table, the controllers that write the Findings into conditions and the linter that prints them can
// never disagree. Grace periods, expiry and the time of day are its callers' business. What it returns is plain Go.
package table
