package table

import "vipcloud.ai/vipcloud/api/v1alpha1"

// Values of Route.Availability.
const (
	// AvailabilityLive is open to every key that may see the route.
	AvailabilityLive = string(v1alpha1.AvailabilityLive)
	// AvailabilityPreview is open to keys with preview access.
	AvailabilityPreview = string(v1alpha1.AvailabilityPreview)
	// AvailabilitySoon is announced only.
	AvailabilitySoon = string(v1alpha1.AvailabilitySoon)
)
