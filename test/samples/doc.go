// Package samples proves what config/samples and docs promise: that every sample is what an API server takes and a gateway
// serves, and that the page of each kind speaks of every field, condition and reason there is.
package samples
