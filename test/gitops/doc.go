// Package gitops proves what GitOps tools make of our objects: the health checks for Argo CD under config/argocd, run by the Lua
// library that Argo CD runs them with, and Flux's status library, both on states that were recorded from a real API server. It
// needs neither tool, and no API server.
package gitops
