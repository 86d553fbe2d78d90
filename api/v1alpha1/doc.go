// Package v1alpha1 holds the resources of the vipcloud.ai API group: what an admin declares
// (ProviderCredential, ModelRoute, ApiKey, GatewayInstance) and what the gateway reports (GatewayReplica, UsageReport).
// It is data only: no client, no defaulting code, no decision.
//
// +kubebuilder:object:generate=true
// +groupName=vipcloud.ai
package v1alpha1
