package table

import (
	"fmt"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// fit says that no price is one that a modality is not billed by. A schema with rules would have refused it.
func (d DeclaredPrices) fit(modality v1alpha1.Modality) error {
	for _, price := range []struct {
		field, text string
		fits        v1alpha1.Modality
	}{
		{"inputPerMillionTokens", d.InputPerMillionTokens, v1alpha1.ModalityChat},
		{"cachedInputPerMillionTokens", d.CachedInputPerMillionTokens, v1alpha1.ModalityChat},
		{"cacheWritePerMillionTokens", d.CacheWritePerMillionTokens, v1alpha1.ModalityChat},
		{"outputPerMillionTokens", d.OutputPerMillionTokens, v1alpha1.ModalityChat},
		{"perImage", d.PerImage, v1alpha1.ModalityImage},
		{"perSecond", d.PerSecond, v1alpha1.ModalityVideo},
		{"perVideo", d.PerVideo, v1alpha1.ModalityVideo},
		{"perMillionCharacters", d.PerMillionCharacters, v1alpha1.ModalitySpeech},
		{"perSong", d.PerSong, v1alpha1.ModalityMusic},
	} {
		if price.text != "" && price.fits != modality {
			return fmt.Errorf("%s is for modality %s; use %s for %s, or set modality to %s",
				price.field, price.fits, fittingPrices(modality), modality, price.fits)
		}
	}
	return nil
}

// fittingPrices names what a modality is billed by.
func fittingPrices(modality v1alpha1.Modality) string {
	switch modality {
	case v1alpha1.ModalityChat:
		return "inputPerMillionTokens, outputPerMillionTokens or perRequest"
	case v1alpha1.ModalityImage:
		return "perImage or perRequest"
	case v1alpha1.ModalityVideo:
		return "perSecond, perVideo or perRequest"
	case v1alpha1.ModalitySpeech:
		return "perMillionCharacters or perRequest"
	case v1alpha1.ModalityMusic:
		return "perSong or perRequest"
	}
	return "perRequest"
}

// fitCondition says that no condition is one that requests of a modality do not have.
func fitCondition(when *v1alpha1.VariantCondition, modality v1alpha1.Modality) error {
	for _, condition := range []struct {
		field string
		set   bool
		fits  v1alpha1.Modality
	}{
		{"inputTokensAbove", when.InputTokensAbove != nil, v1alpha1.ModalityChat},
		{"resolution", when.Resolution != "", v1alpha1.ModalityVideo},
		{"audio", when.Audio != nil, v1alpha1.ModalityVideo},
	} {
		if condition.set && condition.fits != modality {
			return fmt.Errorf("when.%s is for modality %s; remove that condition, or set modality to %s",
				condition.field, condition.fits, condition.fits)
		}
	}
	return nil
}
