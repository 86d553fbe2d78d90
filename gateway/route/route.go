// Package route decides which route a request means and whether its key may use it. It knows nothing of upstreams.
package route

import (
	"slices"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/table"
)

// paths are where models of each modality are served.
var paths = map[string]string{
	"Chat": "/v1/chat/completions", "Image": "/v1/images/generations", "Video": "/v1/videos/generations",
	"Speech": "/v1/audio/speech", "Music": "/v1/music/generations",
}

// Resolve returns the route of a public name or alias that a key may use now, for work of a modality. The error is what to tell the client; the route is
// returned beside it where the key may at least see it.
func Resolve(s *snapshot.Snapshot, key *table.Key, model, modality string) (*snapshot.Route, *openai.Error) {
	r := s.Resolve(model)
	if r == nil || !key.MayUse(r.Route) {
		if key.Demo != nil {
			return nil, openai.InvalidKey() // a key may help
		}
		return nil, openai.UnknownModel(model)
	}
	switch {
	case r.Modality != modality:
		return r, openai.InvalidRequest("wrong_endpoint", "model", "Model '%s' is served at POST %s.", r.Model, paths[r.Modality])
	case r.Availability == table.AvailabilitySoon:
		return r, openai.Unavailable("soon", "Model '"+r.Model+"' is announced and not available yet.", 0)
	case r.Availability == table.AvailabilityPreview && !key.MayPreview(r.Route):
		return r, openai.Unavailable("preview", "Model '"+r.Model+
			"' is in preview. Ask the administrator of this gateway for access.", 0)
	}
	return r, nil
}

// Listed says whether GET /v1/models lists a route for a key: one that is Usable, and that has a target to be sent to, or a fallback that
// has. Whether a target serves at the moment makes no difference: a list that changes with a vendor's health is of no use to clients
// that remember a choice from it.
func Listed(key *table.Key, r *table.Route) bool {
	serves := func(f *table.Route) bool { return len(f.Tiers) > 0 && Usable(key, f) }
	return Usable(key, r) && (serves(r) || slices.ContainsFunc(r.Fallbacks, serves))
}

// Usable says whether a key may call a route: Live ones and granted Preview ones.
func Usable(key *table.Key, r *table.Route) bool {
	if !key.MayUse(r) {
		return false
	}
	switch r.Availability {
	case table.AvailabilityLive:
		return true
	case table.AvailabilityPreview:
		return key.MayPreview(r)
	}
	return false
}
