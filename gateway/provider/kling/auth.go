package kling

import (
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5" //nolint:depguard // signs the vendor's tokens: it neither reads the clock nor sends

	"vipcloud.ai/vipcloud/gateway/provider"
)

// The entries of the Secret.
const (
	keyEntry    = "api-key"
	accessEntry = "access-key"
	secretEntry = "secret-key"
)

// The time of a token: it begins a little earlier, for the vendor's clock may be behind.
const (
	tokenLife = 30 * time.Minute
	tokenSlip = 5 * time.Second
)

// What is wrong with a Secret, for administrators.
var (
	errNeedsKey = errors.New("the new API takes an API key: put one into the entry api-key of the Secret, " +
		"or set protocol Legacy, which takes access-key and secret-key")
	errNeedsAny = errors.New("the Secret has neither the entry api-key nor the entries access-key and secret-key")
)

// bearer returns the credential of a call. The API key serves either generation, and is preferred; a pair of keys signs a token,
// which only the legacy one takes.
func bearer(secrets map[string]provider.Secret, legacy bool, now time.Time) (string, error) {
	entry := func(name string) string { return strings.TrimSpace(secrets[name].Reveal()) } // a line feed ends many of them
	if key := entry(keyEntry); key != "" {
		return key, nil
	}
	access, secret := entry(accessEntry), entry(secretEntry)
	switch {
	case access == "" || secret == "":
		return "", &provider.Error{Class: provider.ClassUnauthorized, Code: "missing_credential", Cause: errNeedsAny}
	case !legacy:
		return "", &provider.Error{Class: provider.ClassUnauthorized, Code: "missing_api_key", Cause: errNeedsKey}
	}
	return token(access, secret, now)
}

// token signs a JWT: kling.ai/document-api api/get-started/authentication.
func token(access, secret string, now time.Time) (string, error) {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer:    access,
		ExpiresAt: jwt.NewNumericDate(now.Add(tokenLife)),
		NotBefore: jwt.NewNumericDate(now.Add(-tokenSlip)),
	}).SignedString([]byte(secret))
	if err != nil {
		return "", &provider.Error{Class: provider.ClassUnauthorized, Code: "unsigned_token", Cause: err}
	}
	return signed, nil
}
