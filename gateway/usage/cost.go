// Package usage settles requests: however one ends, one function turns what is known of it into usage, cost, a log line and
// metrics. It never sees bodies or keys.
package usage

import (
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

// bytesPerToken is the ratio behind estimates. English text has about four bytes to a token in the tokenizers of the served
// vendors; Chinese has three bytes to a character and one to two characters to a token, so the ratio holds there too within a
// factor of 1.5.
const bytesPerToken = 4

// Estimate guesses usage from the bytes of the prompt and of the answer, for requests whose vendor told none. It is never zero
// for a prompt that is not empty.
func Estimate(promptBytes, answerBytes int64) provider.Usage {
	return provider.Usage{
		PromptTokens:     (promptBytes + bytesPerToken - 1) / bytesPerToken,
		CompletionTokens: (answerBytes + bytesPerToken - 1) / bytesPerToken,
	}
}

// Media is what the cost of a video depends on besides its usage. It is zero for everything else.
type Media struct {
	// Resolution in the public form, such as 720p; empty where there is no choice.
	Resolution string
	// Audio says that the video has sound.
	Audio bool
	// Video says that a video was made although its vendor does not tell its length. Usage of more than no seconds says so, too.
	Video bool
}

// Cost returns what a request costs by the prices of its time. Tokens read from or written to a cache are part of the prompt's
// and are not charged twice; a video is charged once, whatever its length. Figures below zero cost nothing. ok is false if the
// amount is out of range, which no real request is.
func Cost(p *table.Pricing, u provider.Usage, m Media, at time.Time) (cost money.Amount, ok bool) {
	if p == nil {
		return 0, true
	}
	prices := p.At(table.Query{PromptTokens: u.PromptTokens, Resolution: m.Resolution, Audio: m.Audio}, at)
	cached := clamp(u.CachedTokens, u.PromptTokens)
	written := clamp(u.CacheWriteTokens, u.PromptTokens-cached)
	cost, ok = prices.PerRequest, true
	for _, part := range [...]struct {
		price money.Amount
		count int64
	}{
		{prices.Input, u.PromptTokens - cached - written},
		{prices.CachedInput, cached},
		{prices.CacheWrite, written},
		{prices.Output, u.CompletionTokens},
		{prices.PerImage, u.Images},
		{prices.PerSecond, u.Seconds},
		{prices.PerVideo, videos(u, m)},
		{prices.PerCharacter, u.Characters},
		{prices.PerSong, u.Songs},
	} {
		amount, fits := part.price.Times(max(part.count, 0))
		sum, fitsToo := cost.Add(amount)
		cost, ok = sum, ok && fits && fitsToo
	}
	return cost, ok
}

// videos counts the videos of a request: one or none.
func videos(u provider.Usage, m Media) int64 {
	if m.Video || u.Seconds > 0 {
		return 1
	}
	return 0
}

// clamp bounds n to [0, limit].
func clamp(n, limit int64) int64 { return max(0, min(n, limit)) }
