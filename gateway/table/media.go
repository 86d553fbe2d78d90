package table

import (
	"strings"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// voices reads the public names of voices.
func voices(c *candidate) *Problem {
	declared := c.object.Spec.Voices
	if len(declared) > 0 && c.route.Modality != string(v1alpha1.ModalitySpeech) {
		return invalid("voices are for modality Speech; remove voices, or set modality to Speech")
	}
	for i := range declared {
		v := &declared[i]
		if strings.TrimSpace(v.Name) == "" || strings.TrimSpace(v.ID) == "" {
			return invalid("voices[%d] needs a name and an id", i)
		}
		if _, taken := c.route.Voice(v.Name); taken {
			return invalid("voices: the name %q appears twice; rename one", v.Name)
		}
		c.route.Voices = append(c.route.Voices, Voice{Name: v.Name, ID: v.ID, Label: v.Label, Language: v.Language})
	}
	return nil
}

// results says how clients get files.
func results(c *candidate) *Problem {
	declared := c.object.Spec.Results
	if declared == nil {
		return nil
	}
	if m := v1alpha1.Modality(c.route.Modality); m != v1alpha1.ModalityVideo && m != v1alpha1.ModalityMusic {
		return invalid("results is for modality Video or Music, whose results are files; remove results, or set modality")
	}
	c.route.ProxyResults = declared.Proxy
	return nil
}
