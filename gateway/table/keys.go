package table

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
)

// CompileKey compiles what a key of one instance declares. It is nil if the key belongs to another, or to none yet. Hashes that
// cannot be read are left out. Whether the key is revoked or has expired is for its users to ask. A key is not to be served before
// KeyRules.Apply says what holds for it: the rules of an instance change while its keys do not.
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
		Reset:         ak.Annotations[v1alpha1.AnnotationResetUsage],
	}
	k.Limits = compileLimits(ak.Spec.Limits)
	var budget *Budget
	if budget, k.invalid = compileBudget("budget", ak.Spec.Budget); budget != nil {
		k.Budgets = []Budget{*budget}
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
	compiled, ours := make([]*Key, len(objects)), make([]*Key, 0, len(objects))
	for i, object := range objects {
		compiled[i] = compileKey(object)
		if gatewayOf(object) == instance {
			ours = append(ours, compiled[i])
		}
	}
	holders, beyond := hashHolders(compiled), b.beyondMaxKeys(ours)
	patterns := newPatternCache(b.usableRoutes())
	for i, object := range objects {
		if gatewayOf(object) != instance {
			continue
		}
		ref := refOf(KindApiKey, object)
		key, p := b.acceptKey(compiled[i], holders, beyond)
		if p != nil {
			b.report(p.finding(ref, v1alpha1.ConditionAccepted))
		} else {
			b.report(holds(ref, v1alpha1.ConditionAccepted, v1alpha1.ReasonAccepted, "accepted by "+instance.String()))
		}
		if key != nil {
			b.table.keys = append(b.table.keys, key)
		}
		b.report(modelsFinding(ref, object, patterns))
	}
}

// acceptKey returns what is served of a key, nil for nothing, and what is wrong with it.
func (b *build) acceptKey(k *Key, holders map[apikey.Hash]*Key, beyond map[*Key]bool) (*Key, *Problem) {
	rules := b.table.settings.KeyRules
	rest, lostTo := withoutLost(k, holders)
	key, p := rules.Apply(rest)
	if lost, told := beyond[k]; told {
		p = cmp.Or(p, rules.SurplusProblem(k.Namespace))
		if lost {
			key = nil
		}
	}
	if lostTo != nil {
		p = duplicateKey(lostTo)
		if len(rest.Hashes) == 0 {
			key = nil
		}
	}
	return key, p
}

// beyondMaxKeys says which keys are told that there are more than the instance accepts of their namespace: true for those that are
// not served, and false for those that only do not know which are the oldest.
func (b *build) beyondMaxKeys(keys []*Key) map[*Key]bool {
	beyond, crowded := map[*Key]bool{}, map[string]bool{}
	for _, k := range b.table.settings.KeyRules.Surplus(keys) {
		beyond[k], crowded[k.Namespace] = true, true
	}
	for _, k := range keys {
		if b.in.NoCreationTimes && crowded[k.Namespace] && !beyond[k] {
			beyond[k] = false
		}
	}
	return beyond
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
