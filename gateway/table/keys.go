package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
)

// CompileKey compiles a key for one instance. It is nil if the key belongs to another, or to none yet. Hashes that cannot be
// read are left out. Whether the key is revoked or has expired is for its users to ask.
func CompileKey(ak *v1alpha1.ApiKey, instance types.NamespacedName) *Key {
	if gatewayOf(ak) != instance {
		return nil
	}
	return compileKey(ak)
}

// gatewayOf returns the instance that accepts a key, or an empty name.
func gatewayOf(ak *v1alpha1.ApiKey) types.NamespacedName {
	g := ak.Status.Gateway
	if g == nil {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: cmp.Or(string(g.Namespace), ak.Namespace), Name: string(g.Name)}
}

// compileKey compiles a key of whatever instance.
func compileKey(ak *v1alpha1.ApiKey) *Key {
	k := &Key{
		Namespace: ak.Namespace,
		Name:      ak.Name,
		UID:       string(ak.UID),
		Project:   ak.Namespace + "/" + cmp.Or(ak.Spec.Project, ak.Namespace),
		Prefix:    ak.Status.Prefix,
		Models:    CompileGlobs(ak.Spec.Models),
		// An empty list is not an unset one: it allows nothing.
		AnyModel:      ak.Spec.Models == nil,
		PreviewModels: CompileGlobs(ak.Spec.PreviewModels),
		Revoked:       ak.Spec.Revoked,
		Generated:     sourceType(ak) == v1alpha1.ApiKeySourceGenerated,
		Created:       createdUnix(ak),
	}
	if ak.Spec.ExpiresAt != nil {
		k.ExpiresAt = ak.Spec.ExpiresAt.UTC()
	}
	for _, declared := range declaredHashes(ak) {
		sum, err := apikey.ParseHash(declared.SHA256)
		if err != nil {
			continue
		}
		h := KeyHash{Sum: sum}
		if declared.NotAfter != nil {
			h.NotAfter = declared.NotAfter.UTC()
		}
		k.Hashes = append(k.Hashes, h)
	}
	return k
}

// sourceType says where a key comes from.
func sourceType(ak *v1alpha1.ApiKey) v1alpha1.ApiKeySourceType {
	if ak.Spec.Source == nil {
		return v1alpha1.ApiKeySourceGenerated
	}
	return cmp.Or(ak.Spec.Source.Type, v1alpha1.ApiKeySourceGenerated)
}

// declaredHashes returns the hashes that are valid: those of the spec where nothing else exists, else those that the operator
// found.
func declaredHashes(ak *v1alpha1.ApiKey) []v1alpha1.KeyHash {
	if sourceType(ak) == v1alpha1.ApiKeySourceHashes {
		return ak.Spec.Source.Hashes
	}
	return ak.Status.Hashes
}

// KeyLess says whether a comes before b where both claim the same hash: generated keys before brought ones, so that nobody
// can take a generated key over by bringing its hash; then the oldest; then by namespace and name.
func KeyLess(a, b *Key) bool {
	if a.Generated != b.Generated {
		return a.Generated
	}
	return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name)) < 0
}

// compileKeys compiles and reports the keys of the instance.
func (b *build) compileKeys() {
	instance := keyOf(b.in.Instance)
	objects := ordered(b.in.Keys)
	compiled := make([]*Key, len(objects))
	for i, object := range objects {
		compiled[i] = compileKey(object)
	}
	holders := hashHolders(compiled)
	patterns := newPatternCache(b.table.routes)
	for i, object := range objects {
		if gatewayOf(object) != instance {
			continue
		}
		ref := refOf(KindApiKey, object)
		key, lostTo := withoutLost(compiled[i], holders)
		if lostTo != nil {
			b.report(duplicateKey(lostTo).finding(ref, v1alpha1.ConditionAccepted))
		} else {
			b.report(holds(ref, v1alpha1.ConditionAccepted, v1alpha1.ReasonAccepted, "accepted by "+instance.String()))
		}
		if lostTo == nil || len(key.Hashes) > 0 {
			b.table.keys = append(b.table.keys, key)
		}
		b.report(modelsFinding(ref, object, patterns))
	}
}

// hashHolders decides who holds each hash.
func hashHolders(keys []*Key) map[apikey.Hash]*Key {
	holders := make(map[apikey.Hash]*Key, len(keys))
	for _, k := range keys {
		for _, h := range k.Hashes {
			if holder := holders[h.Sum]; holder == nil || KeyLess(k, holder) {
				holders[h.Sum] = k
			}
		}
	}
	return holders
}

// withoutLost returns a key without the hashes that others hold, and the first of those others.
func withoutLost(k *Key, holders map[apikey.Hash]*Key) (*Key, *Key) {
	lost := func(h KeyHash) bool { return holders[h.Sum] != k }
	i := slices.IndexFunc(k.Hashes, lost)
	if i < 0 {
		return k, nil
	}
	winner, rest := holders[k.Hashes[i].Sum], *k
	rest.Hashes = slices.DeleteFunc(slices.Clone(k.Hashes), lost)
	return &rest, winner
}

// duplicateKey tells the loser of a hash who holds it.
func duplicateKey(holder *Key) *Problem {
	return because(v1alpha1.ReasonDuplicateKey, "ApiKey %s holds the same key; give this one a key of its own", holder.ID())
}

// patternCache remembers which patterns match a model that a namespace may see: thousands of keys share a few patterns.
type patternCache struct {
	routes []*Route
	known  map[[2]string]bool
}

// newPatternCache returns an empty cache.
func newPatternCache(routes []*Route) *patternCache {
	return &patternCache{routes: routes, known: map[[2]string]bool{}}
}

// matches says whether a pattern matches a model that the keys of a namespace may see.
func (c *patternCache) matches(pattern, namespace string) bool {
	key := [2]string{pattern, namespace}
	found, ok := c.known[key]
	if !ok {
		g := compileGlob(pattern)
		found = slices.ContainsFunc(c.routes, func(r *Route) bool { return r.AllowsNamespace(namespace) && g.match(r.Model) })
		c.known[key] = found
	}
	return found
}

// modelsFinding says whether all patterns of a key match something. The key works all the same.
func modelsFinding(ref ObjectRef, ak *v1alpha1.ApiKey, patterns *patternCache) Finding {
	var idle []string
	for _, pattern := range slices.Concat(ak.Spec.Models, ak.Spec.PreviewModels) {
		if !patterns.matches(string(pattern), ak.Namespace) && !slices.Contains(idle, string(pattern)) {
			idle = append(idle, string(pattern))
		}
	}
	if len(idle) == 0 {
		return holds(ref, v1alpha1.ConditionModelsResolved, v1alpha1.ReasonModelsResolved, "every pattern matches a model")
	}
	return Finding{Object: ref, Type: v1alpha1.ConditionModelsResolved, Severity: Info, Reason: v1alpha1.ReasonUnknownModels,
		Message: fmt.Sprintf("no model that this key may see matches %s", strings.Join(idle, ", "))}
}
