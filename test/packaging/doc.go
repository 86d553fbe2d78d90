// Package packaging proves that what is shipped beside the code is right: the CRDs, the kustomizations, the Helm charts and the
// PROJECT file. It renders them with the pinned tools and gives them to a real API server. It knows nothing of what the
// operator does with them.
package packaging
