package kling

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	kjson "sigs.k8s.io/json"
)

// authenticate checks the one Authorization header. Either generation takes the API key; the legacy one a JWT as well. The
// documentation names the codes "auth failed", "missing" and "invalid" without saying which error is which: here a credential
// that nobody knows failed, and a text that is no credential is invalid.
func (x *exchange) authenticate(legacy bool) *problem {
	if x.R.Header.Get("Authorization") == "" {
		return &problem{1001, "Authorization is missing"}
	}
	token, ok := x.Bearer("Bearer ")
	switch {
	case !ok:
		return &problem{1002, "Authorization is invalid"}
	case token == x.sim.Key():
		return nil
	case strings.Count(token, ".") != 2:
		return &problem{1000, "authentication failed"}
	case !legacy:
		return &problem{1002, "Authorization is invalid: this API takes an API key"}
	}
	return checkToken(token, x.sim.AccessKey(), x.sim.SecretKey(), x.Now())
}

// checkToken verifies a JWT: the signature, then that the issuer is known, then that now lies within its time. Members beside
// the documented ones are refused, and so are fractions of a second.
func checkToken(token, issuer, secret string, now time.Time) *problem {
	signed, signature := cutLast(token)
	if !hmac.Equal([]byte(signature), []byte(sign(signed, []byte(secret)))) {
		return &problem{1000, "authentication failed: the signature does not match"}
	}
	head, payload, _ := strings.Cut(signed, ".")
	var header struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
	}
	var claims struct {
		Issuer  string `json:"iss"`
		Expires *int64 `json:"exp"`
		Begins  *int64 `json:"nbf"`
	}
	switch {
	case !decodePart(head, &header) || header.Algorithm != "HS256" || header.Type != "JWT":
		return &problem{1002, "Authorization is invalid: the token's header"}
	case !decodePart(payload, &claims) || claims.Expires == nil || claims.Begins == nil:
		return &problem{1002, "Authorization is invalid: the token's claims"}
	case claims.Issuer != issuer:
		return &problem{1002, "Authorization is invalid: access key not found"}
	case *claims.Begins > now.Unix():
		return &problem{1003, "Authorization is not valid yet"}
	case *claims.Expires <= now.Unix():
		return &problem{1004, "Authorization has expired"}
	}
	return nil
}

func cutLast(token string) (signed, signature string) {
	i := strings.LastIndexByte(token, '.')
	return token[:i], token[i+1:]
}

// decodePart reads one part of a token, which is unpadded base64url of a JSON object.
func decodePart(part string, v any) bool {
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return false
	}
	strict, err := kjson.UnmarshalStrict(data, v)
	return err == nil && len(strict) == 0
}

// sign returns the HS256 signature of a token's first two parts.
func sign(signed string, secret []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
