package proxy

import (
	"vipcloud.ai/vipcloud/gateway/jsonscan"
	"vipcloud.ai/vipcloud/gateway/openai"
)

const (
	// maxHashed is how much of a message counts: what begins alike belongs to the same cache, and long prompts cost no more than this.
	maxHashed = 4 << 10
	// maxBefore is how many messages are looked at before the first one of a user.
	maxBefore = 8
)

// conversationOf returns a hash that stays the same for all requests of a conversation: that of its first messages, up to the first one of
// the user. It is the same in every replica. False: there are no messages.
func conversationOf(body *openai.Object) (uint64, bool) {
	if body == nil {
		return 0, false
	}
	raw, ok := body.Get("messages")
	if !ok || len(raw) == 0 || raw[0] != '[' {
		return 0, false
	}
	h, found := fnv(fnvOffset), false
	i := jsonscan.Space(raw, 1)
	for range maxBefore {
		end, ok := jsonscan.Value(raw, i, jsonscan.MaxDepth)
		if !ok {
			break
		}
		user := h.message(raw[i:end])
		found = true
		i = jsonscan.Space(raw, end)
		if user || i >= len(raw) || raw[i] != ',' {
			break
		}
		i = jsonscan.Space(raw, i+1)
	}
	return uint64(h), found
}

// fnv is a running hash, FNV-1a.
type fnv uint64

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// message adds a message and says whether it is the user's.
func (h *fnv) message(raw []byte) (user bool) {
	m, err := openai.ParseObject(raw)
	if err != nil {
		h.add(raw)
		return false
	}
	role, _ := m.Get("role")
	content, _ := m.Get("content")
	h.add(role)
	h.add(content)
	return string(role) == `"user"`
}

// add adds the beginning of some bytes, and a mark after it.
func (h *fnv) add(b []byte) {
	x := *h
	for _, c := range b[:min(len(b), maxHashed)] {
		x = (x ^ fnv(c)) * fnvPrime
	}
	*h = (x ^ 0xff) * fnvPrime
}
