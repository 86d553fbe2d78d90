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
func (x *Index) Authenticate(h http.Header, now time.Time) (Caller, *openai.Error) {
	token, ok := bearer(h)
	if !ok || len(token) > apikey.MaxLength {
		return Caller{}, openai.InvalidKey()
	}
	sum := apikey.Sum(token)
	e := x.find(sum, now)
	switch {
	case e.key == nil:
		return Caller{}, openai.InvalidKey()
	case e.key.Revoked:
		return Caller{}, openai.KeyRevoked()
	case !e.key.ExpiresAt.IsZero() && !now.Before(e.key.ExpiresAt):
		return Caller{}, openai.KeyExpired()
	}
	return Caller{Key: e.key, Sum: sum, Previous: e.previous}, nil
}

// Caller is who makes a request.
type Caller struct {
	Key *table.Key
	// Sum is the hash that the request came with. Previous says that another one of the key's has taken its place and that it ends
	// before that.
	Sum      apikey.Hash
	Previous bool
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
