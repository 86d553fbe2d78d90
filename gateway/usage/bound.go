package usage

import (
	"time"
	"unicode"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
)

// defaultAnswerTokens is what an answer is taken to have at most if neither the client nor the route says.
const defaultAnswerTokens = 32 << 10

// ChatBound is what a chat completion can use at most: two bytes of text make a token at least in every language of the served
// vendors' tokenizers, and the answer ends at the client's limit or fills the model's context window. Answers is the client's limit
// over all answers if limited is set, else the number of answers.
func ChatBound(r *snapshot.Route, promptBytes, answers int64, limited bool) provider.Usage {
	u := provider.Usage{PromptTokens: (promptBytes + 1) / 2, CompletionTokens: answers}
	if !limited {
		ceiling := r.Display.ContextWindow
		if ceiling <= 0 {
			ceiling = defaultAnswerTokens
		}
		u.CompletionTokens = answers * ceiling
	}
	return u
}

// SpeechBound is what speech can use at most: vendors count a character once, or twice if it is Han.
func SpeechBound(text string) provider.Usage {
	n := int64(0)
	for _, c := range text {
		n++
		if unicode.Is(unicode.Han, c) {
			n++
		}
	}
	return provider.Usage{Characters: n}
}

// Bound is what usage can cost at most: by the prices of the route and of its fallbacks, when it begins and when it must have ended.
// ok is false if the amount is out of range.
func Bound(r *snapshot.Route, u provider.Usage, m Media, at time.Time) (most money.Amount, ok bool) {
	most, ok = boundOf(r, u, m, at)
	for _, f := range r.Fallbacks {
		cost, fits := boundOf(f, u, m, at)
		most, ok = max(most, cost), ok && fits
	}
	return most, ok
}

// boundOf is Bound of one route.
func boundOf(r *snapshot.Route, u provider.Usage, m Media, at time.Time) (money.Amount, bool) {
	if r.Pricing == nil {
		return 0, true
	}
	first, ok := Cost(r.Pricing, u, m, at)
	last, fits := Cost(r.Pricing, u, m, at.Add(r.TotalTimeout))
	return max(first, last), ok && fits
}
