package controllers

import (
	"slices"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// setCredentialStatus writes the status of a credential from what was found, and returns when to look again.
func setCredentialStatus(
	cred *v1alpha1.ProviderCredential, v verdict, seen sighting, health credentialHealth, now time.Time,
) time.Time {
	details, owned := fromFindings(v.findings), []string(nil)
	if health.counted { // else what is known of its health stays
		usable := !slices.ContainsFunc(details, func(d detail) bool { return !d.ok })
		if owned = []string{v1alpha1.ConditionHealthy}; usable && health.replicas > 0 {
			details = append(details, healthyDetail(health.ejected))
		}
		cred.Status.Ejected = statusEjected(health.ejected)
	}
	cred.Status.Endpoint = v.endpoint
	cred.Status.ObservedGeneration = cred.Generation
	return observation{
		generation: cred.Generation,
		now:        now,
		changed:    seen.changed,
		details:    details,
		owned:      owned,
		ready:      "routes can use this credential",
	}.settle(&cred.Status.Conditions)
}
