package auth

import (
	"net/http"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/table"
)

// Authenticate finds the key of a request by its Authorization header alone. The error is the 401 to answer with: the same one
// for a missing and for a wrong key.
func (x *Index) Authenticate(h http.Header, now time.Time) (*table.Key, *openai.Error) {
	token, ok := bearer(h)
	if !ok || len(token) > apikey.MaxLength {
		return nil, openai.InvalidKey()
	}
	key := x.Lookup(apikey.Sum(token), now)
	switch {
	case key == nil:
		return nil, openai.InvalidKey()
	case key.Revoked:
		return nil, openai.KeyRevoked()
	case !key.ExpiresAt.IsZero() && !now.Before(key.ExpiresAt):
		return nil, openai.KeyExpired()
	}
	return key, nil
}

// bearer returns the token of an Authorization header. Several such headers are none: which one counts would be a guess.
func bearer(h http.Header) (string, bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.TrimSpace(token)
	return token, token != ""
}
