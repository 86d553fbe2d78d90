// Package crd proves that the resource definitions keep what they promise: every rule of the schemas has a manifest that passes
// and one that is refused with the right advice, everything is bounded and explained, and GitOps tools see no difference where
// there is none. A real API server decides all of it; this package knows nothing of what the operator does with the objects.
package crd
