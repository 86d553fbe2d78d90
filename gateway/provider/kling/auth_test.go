package kling

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// knownToken was made with openssl for the keys below and eight o'clock on that Tuesday.
const (
	knownAccess = "0123456789abcdef"
	knownSecret = "fedcba9876543210"
	knownToken  = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" +
		".eyJpc3MiOiIwMTIzNDU2Nzg5YWJjZGVmIiwiZXhwIjoxNzk1NTA5MDAwLCJuYmYiOjE3OTU1MDcxOTV9" +
		"._jNCXvDiwBSB73hedZjFafpZQTj8eYIGVKGOyS3zfN0"
)

func TestToken(t *testing.T) {
	t.Parallel()
	for name, now := range map[string]time.Time{
		"on the second":        tuesday,
		"within the second":    tuesday.Add(999 * time.Millisecond),
		"in another time zone": tuesday.In(time.FixedZone("CST", 8*3600)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := token(knownAccess, knownSecret, now)
			if err != nil || got != knownToken {
				t.Errorf("token() = %s, %v; want %s", got, err, knownToken)
			}
		})
	}
}

// TestSigningMethod signs the example of RFC 7515, appendix A.1, with what signs the tokens.
func TestSigningMethod(t *testing.T) {
	t.Parallel()
	const (
		signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
			".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
		key  = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
		want = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	)
	secret, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := jwt.SigningMethodHS256.Sign(signed, secret)
	if got := base64.RawURLEncoding.EncodeToString(signature); err != nil || got != want {
		t.Errorf("signature = %s, %v; want %s", got, err, want)
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	pair := []string{"access-key", knownAccess + "\n", "secret-key", " " + knownSecret + "\n"}
	tests := map[string]struct {
		entries  []string
		protocol string
		want     string // the credential, or the code of the error
	}{
		"a key for the new API":                       {[]string{"api-key", key}, "New", key},
		"a key for the legacy API":                    {[]string{"api-key", key + "\r\n"}, "Legacy", key},
		"a key comes before a pair":                   {append([]string{"api-key", key}, pair...), "Legacy", key},
		"a pair signs a token for the legacy API":     {pair, "Legacy", knownToken},
		"a blank key is none":                         {append([]string{"api-key", " \n"}, pair...), "Legacy", knownToken},
		"the new API takes no token":                  {pair, "New", "missing_api_key"},
		"the new API is the default":                  {pair, "", "missing_api_key"},
		"half a pair for the legacy API":              {pair[:2], "Legacy", "missing_credential"},
		"the other half for the legacy API":           {pair[2:], "Legacy", "missing_credential"},
		"half a pair for the new API":                 {pair[:2], "New", "missing_credential"},
		"nothing at all for the legacy API":           {nil, "Legacy", "missing_credential"},
		"nothing at all for the new API":              {nil, "New", "missing_credential"},
		"an entry that the vendor does not have":      {[]string{"token", "abc"}, "New", "missing_credential"},
		"a blank half is none, whatever the other is": {[]string{"access-key", "\n", "secret-key", "x"}, "Legacy", "missing_credential"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream("kling-3.0")
			up.Protocol, up.Secrets = tc.protocol, secret(tc.entries...)
			got, err := Adapter().Video.SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat", Now: tuesday})
			if err != nil {
				e := errorOf(t, err)
				if e.Code != tc.want || e.Class != provider.ClassUnauthorized || !strings.Contains(e.Error(), "entry api-key") {
					t.Errorf("error = %v, want the code %s and the name of the entry", e, tc.want)
				}
				return
			}
			if header := got.Step.Request.Header.Get("Authorization"); header != "Bearer "+tc.want {
				t.Errorf("Authorization = %s, want Bearer %s", header, tc.want)
			}
		})
	}
}
