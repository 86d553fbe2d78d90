package table

import (
	"time"

	"vipcloud.ai/vipcloud/gateway/apikey"
)

// Key is an API key that the instance accepts, without the key. Read only.
type Key struct {
	// Namespace and Name are those of the ApiKey, and the owner of usage.
	Namespace, Name string
	// UID of the ApiKey, empty for files.
	UID string
	// Project is namespace/project.
	Project string
	// Prefix is the first characters of the key, empty for keys that vipcloud did not make.
	Prefix string
	// Hashes that are valid, with their ends (zero: none).
	Hashes []KeyHash
	// Models are patterns of what the key may use; AnyModel if there are none.
	Models   Globs
	AnyModel bool
	// PreviewModels are patterns of Preview models it may use.
	PreviewModels Globs
	// ExpiresAt ends the key, zero for never.
	ExpiresAt time.Time
	// Revoked refuses the key.
	Revoked bool
	// Reset is the value of the annotation that sets the key's usage to zero when it changes.
	Reset string
	// Limits of the key; those in force once Rules were applied.
	Limits Limits
	// Budgets of the key, at most one for each period, from the shortest; those in force once Rules were applied. All of them
	// hold. Empty: the key may spend without bound.
	Budgets []Budget
	// Rules of the instance that were applied, which also bound the models. Nil: none were, and the fields say what the key itself
	// declares.
	Rules *KeyRules
	// Demo is set for the stand-in of those who have no key: it decides what may be used, and its RequestsPerMinute are each
	// client's own. Nil for keys.
	Demo *Demo
	// Generated and Created order claims on the same hash.
	Generated bool
	Created   int64

	// invalid is why the key cannot be accepted by any instance; nil: it can.
	invalid *Problem
}

// KeyHash is a hash and when it ends (zero: never).
type KeyHash struct {
	Sum      apikey.Hash
	NotAfter time.Time
}

// EndsBefore says that another hash is valid for longer.
func (h KeyHash) EndsBefore(o KeyHash) bool {
	return !h.NotAfter.IsZero() && (o.NotAfter.IsZero() || h.NotAfter.Before(o.NotAfter))
}

// ID returns namespace/name, DemoOwner for the demo's stand-in.
func (k *Key) ID() string {
	if k.Demo != nil {
		return DemoOwner
	}
	return k.Namespace + "/" + k.Name
}

// HasBudget says that what the key may spend is bounded.
func (k *Key) HasBudget() bool {
	return len(k.Budgets) > 0 || (k.Rules != nil && k.Rules.NamespaceBudget != nil)
}

// MayUse says whether the key's patterns, those of its Rules and the route's namespaces let it use a route. Availability is
// another question.
func (k *Key) MayUse(r *Route) bool {
	if k.Demo != nil {
		return k.Demo.MayUse(r)
	}
	return r.AllowsNamespace(k.Namespace) && (k.AnyModel || k.Models.Match(r.Model)) && k.Rules.allows(r.Model)
}

// MayPreview says whether the key and its Rules give access to a Preview model.
func (k *Key) MayPreview(r *Route) bool {
	return k.PreviewModels.Match(r.Model) && k.Rules.allowsPreview(r.Model)
}
