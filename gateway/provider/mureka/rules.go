package mureka

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// The limits of a request. Texts are measured in characters.
const (
	maxSongs  = 3
	maxPrompt = 1024
	// The models up to the eighth take lyrics of the first length; of newer ones the second is told, by others than the vendor.
	maxLyrics      = 3000
	maxNewerLyrics = 5000
)

// model is what an upstream model takes.
type model struct {
	id string
	// sung says that it makes no instrumentals.
	sung      bool
	maxLyrics int
}

// modelOf finds the model of an id.
func modelOf(id string) model {
	m := model{id: id, sung: strings.HasPrefix(id, "mureka-o"), maxLyrics: maxNewerLyrics}
	known := []string{
		"mureka-5.5", "mureka-6", "mureka-7", "mureka-7.5", "mureka-7.6", "mureka-8", "mureka-o1", "mureka-o2",
	}
	if slices.Contains(known, id) {
		m.maxLyrics = maxLyrics
	}
	return m
}

// check refuses what the model does not take.
func (m *model) check(in *provider.MusicRequest) error {
	prompt, lyrics := utf8.RuneCountInString(in.Prompt), utf8.RuneCountInString(in.Lyrics)
	switch {
	case in.N < 1 || in.N > maxSongs:
		return provider.Invalid("n", "Mureka makes 1 to %d songs at a time, not %d.", maxSongs, in.N)
	case prompt > maxPrompt:
		return provider.Invalid("prompt", "Mureka takes prompts of at most %d characters, not %d.", maxPrompt, prompt)
	case lyrics > m.maxLyrics:
		return provider.Invalid("lyrics", "Mureka takes lyrics of at most %d characters, not %d.", m.maxLyrics, lyrics)
	}
	return m.checkKind(in)
}

// checkKind refuses what can be neither sung nor played.
func (m *model) checkKind(in *provider.MusicRequest) error {
	switch {
	case in.Instrumental && m.sung:
		return provider.Invalid("instrumental", "Mureka makes no instrumentals with this model: leave instrumental out.")
	case in.Instrumental && !blank(in.Lyrics):
		return provider.Invalid("lyrics", "Instrumental music has no lyrics: leave out lyrics or instrumental.")
	case in.Instrumental && blank(in.Prompt):
		return provider.Invalid("prompt", "Mureka needs a prompt for instrumental music.")
	case blank(in.Prompt) && blank(in.Lyrics):
		return provider.Invalid("prompt", "Mureka needs a prompt, or lyrics to sing.")
	}
	return nil
}

// hinted is the prompt with the length that the client would like, and what the client is to be told of it. The vendor has no
// parameter for it: the length of a song follows its lyrics. A prompt is not made up of the hint alone, for it may exclude what the
// admin adds.
func hinted(in *provider.MusicRequest) (prompt string, warnings []string) {
	if in.Duration == 0 {
		return in.Prompt, nil
	}
	const none = "duration: Mureka has no such parameter, "
	follows := "the length of a song follows its lyrics."
	if in.Instrumental {
		follows = "the model chooses the length."
	}
	text := fmt.Sprintf("%s\nLength: about %d seconds.", in.Prompt, in.Duration)
	switch {
	case blank(in.Prompt):
		return in.Prompt, []string{none + "and there is no prompt to hint at it; " + follows}
	case utf8.RuneCountInString(text) > maxPrompt:
		return in.Prompt, []string{none + "and the prompt has no room for a hint; " + follows}
	}
	return text, []string{none + "it was added to the prompt as a hint; " + follows}
}
