// Package e2e lives through the life of an installation on a real cluster, as an admin would: the chart, kubectl, pods. It knows
// nothing of the code, but for the API types. make e2e makes a node, runs it there and takes the node away; with
// KUBECONFIG=… it runs on any other cluster that never saw our CRDs.
package e2e
