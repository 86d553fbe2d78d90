package openaicompat

import (
	"strconv"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// topUsage looks at the usage of the object. Of a stream's it takes the last: vendors count in the finish chunk, in a chunk
// of its own or in every chunk cumulatively, and clients get one chunk at the end in any case.
func (t *translator) topUsage(m *members) {
	if m.raw()[0] == '{' {
		t.now.usage = m.span()
		t.note(m.raw(), false)
	}
	switch {
	case t.whole && t.now.usage.there():
	case t.nullUsage && isNull(m.raw()):
	default:
		m.drop(&t.edits)
	}
}

// choiceUsage looks at the usage inside a choice, which counts only where there is no other.
func (t *translator) choiceUsage(m *members) {
	if m.raw()[0] == '{' && (!t.usage.Known || t.fromChoice) {
		t.note(m.raw(), true)
	}
	m.drop(&t.edits)
}

// note remembers a usage, unless it tells nothing or less than an earlier one from the same place.
func (t *translator) note(raw []byte, fromChoice bool) {
	u := readUsage(raw)
	if !u.Known {
		return
	}
	if t.usage.Known && t.fromChoice == fromChoice && u.PromptTokens == 0 && u.CompletionTokens == 0 {
		return
	}
	t.usage, t.fromChoice = u, fromChoice
	t.rawUsage = append(t.rawUsage[:0], raw...)
}

// readUsage reads a usage object. Where a figure stands in several places it is the same one, so the largest counts and nothing
// is added up. It is known if it tells prompt or completion tokens.
func readUsage(raw []byte) provider.Usage {
	var u provider.Usage
	m := membersOf(raw, 0)
	for m.next() {
		n := tokens(m.raw())
		switch string(m.name()) {
		case "prompt_tokens":
			u.PromptTokens, u.Known = n, u.Known || !isNull(m.raw())
		case "completion_tokens":
			u.CompletionTokens, u.Known = n, u.Known || !isNull(m.raw())
		case "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens":
			u.CachedTokens = max(u.CachedTokens, n)
		case "cache_write_tokens", "cache_creation_input_tokens":
			u.CacheWriteTokens = max(u.CacheWriteTokens, n)
		case "reasoning_tokens":
			u.ReasoningTokens = max(u.ReasoningTokens, n)
		case "prompt_tokens_details", "completion_tokens_details", "cache_creation":
			readDetails(m.raw(), &u)
		}
	}
	// Prompts are billed in three parts that add up to the whole; vendors were seen to report parts that don't.
	u.CachedTokens = min(u.CachedTokens, u.PromptTokens)
	u.CacheWriteTokens = min(u.CacheWriteTokens, u.PromptTokens-u.CachedTokens)
	u.ReasoningTokens = min(u.ReasoningTokens, u.CompletionTokens)
	return u
}

// readDetails reads an object within usage. The times to live of what is written to a cache are parts of one figure.
func readDetails(raw []byte, u *provider.Usage) {
	if raw[0] != '{' {
		return
	}
	var parts int64
	m := membersOf(raw, 0)
	for m.next() {
		n := tokens(m.raw())
		switch string(m.name()) {
		case "cached_tokens":
			u.CachedTokens = max(u.CachedTokens, n)
		case "cache_write_tokens", "cache_creation_input_tokens":
			u.CacheWriteTokens = max(u.CacheWriteTokens, n)
		case "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens":
			parts += n
		case "reasoning_tokens":
			u.ReasoningTokens = max(u.ReasoningTokens, n)
		case "cache_creation":
			readDetails(m.raw(), u)
		}
	}
	u.CacheWriteTokens = max(u.CacheWriteTokens, parts)
}

// maxTokens bounds what is believed of one request: figures beyond it are a fault, and sums of them must not overflow.
const maxTokens = 1 << 40

// tokens reads a count. What is negative or no number is 0.
func tokens(value []byte) int64 {
	if len(value) == 0 || !jsonscan.IsDigit(value[0]) {
		return 0
	}
	if len(value) < 10 {
		if n, ok := smallNumber(value); ok {
			return int64(n)
		}
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f > maxTokens {
		return 0
	}
	return int64(f)
}
