package controllers

import (
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// setCredentialStatus writes the status of a credential from what was found, and returns when to look again.
func setCredentialStatus(cred *v1alpha1.ProviderCredential, v verdict, seen sighting, now time.Time) time.Time {
	cred.Status.Endpoint = v.endpoint
	cred.Status.ObservedGeneration = cred.Generation
	return observation{
		generation: cred.Generation,
		now:        now,
		changed:    seen.changed,
		details:    fromFindings(v.findings),
		ready:      "routes can use this credential",
	}.settle(&cred.Status.Conditions)
}
