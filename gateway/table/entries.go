package table

import (
	"cmp"
	"strings"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// checkEntries looks for the entries that the provider needs: one of its sets must be there as a whole. The first one that is
// counts, as it does for adapters. What is missing is named alone if there is but one set; of several, all are named.
func checkEntries(cred *v1alpha1.ProviderCredential, entries map[string]Secret, sets [][]string) *Problem {
	var unreadable *Problem
	var alternatives []string
	for _, needed := range sets {
		absent, p := checkEntrySet(cred, entries, needed)
		if len(absent) == 0 {
			return p
		}
		unreadable = cmp.Or(unreadable, p)
		if len(sets) > 1 {
			absent = needed
		}
		alternatives = append(alternatives, strings.Join(absent, " and "))
	}
	if len(alternatives) == 0 || unreadable != nil {
		return unreadable
	}
	return missing(v1alpha1.ReasonSecretEntryMissing, "Secret %q lacks what provider %s needs: %s; add it",
		cred.Spec.SecretRef.Name, cred.Spec.Provider, strings.Join(alternatives, ", or "))
}

// checkEntrySet says which entries of a set are absent, and whether one that is there cannot be used.
func checkEntrySet(cred *v1alpha1.ProviderCredential, entries map[string]Secret, needed []string) (absent []string, unreadable *Problem) {
	for _, name := range needed {
		value := entries[name]
		if value.Empty() {
			absent = append(absent, name)
			continue
		}
		if text := value.Reveal(); unreadable == nil && (!printable(text) || strings.TrimSpace(text) != text) {
			unreadable = invalid("entry %s of Secret %q has a line break or another character that no header can carry, "+
				"or begins or ends with a space; write it again without", name, cred.Spec.SecretRef.Name)
		}
	}
	return absent, unreadable
}
