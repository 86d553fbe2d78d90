package doubaospeech

import (
	"regexp"
	"strings"
)

// The resources that a voice may belong to, which the header X-Api-Resource-Id names: a generation of models, and what is billed.
const (
	resourceTTS2 = "seed-tts-2.0"
	resourceTTS1 = "seed-tts-1.0"
	resourceICL2 = "seed-icl-2.0"
)

// resourceID is an upstream model that is a resource itself, by its new name or an old one.
var resourceID = regexp.MustCompile(`^(?:seed-(?:tts|icl)-[0-9]+\.[0-9]+(?:-concurr)?|volc\.[a-z_]+\.[0-9a-z]+)$`)

// resourceOf is the resource for a voice. An upstream model that is one decides, since the administrator has named what to bill. For
// any other, such as doubao-tts, the voice does: cloned voices begin with S_ and are taken for those of 2.0, and voices of 1.0 are known
// by their families. What is not known is taken for a voice of 2.0.
func resourceOf(model, voice string) string {
	if resourceID.MatchString(model) {
		return model
	}
	if strings.HasPrefix(voice, clonedPrefix) {
		return resourceICL2
	}
	for _, family := range [...]string{"_moon_bigtts", "_mars_bigtts", "_wvae_bigtts"} {
		if strings.HasSuffix(voice, family) {
			return resourceTTS1
		}
	}
	return resourceTTS2
}

// clonedPrefix begins the ids of cloned voices.
const clonedPrefix = "S_"

// firstGeneration says that a resource is one of the first generation, whose voices take no instructions.
func firstGeneration(resource string) bool {
	return strings.Contains(resource, "-1.0") || strings.HasPrefix(resource, "volc.")
}

// modelOf is the member model of a request, which only cloned voices of 2.0 have: an upstream model that names a variant of theirs.
func modelOf(model, resource string) string {
	if resource == resourceICL2 && (model == "seed-tts-2.0-standard" || model == "seed-tts-2.0-expressive") {
		return model
	}
	return ""
}

// clusterOf is V1's cluster for a voice: the upstream model if it is one. That of cloned voices is known from clients alone.
func clusterOf(model, voice string) string {
	switch {
	case strings.HasPrefix(model, "volcano_"):
		return model
	case strings.HasPrefix(voice, clonedPrefix):
		return "volcano_icl"
	}
	return "volcano_tts"
}
