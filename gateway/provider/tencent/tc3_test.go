package tencent

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"
)

// vectorBody is the body of the published examples, with its escapes as they are.
const vectorBody = `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`

// digestOf is the SHA-256 of a text in hexadecimal digits.
func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// vector is what the published examples sign.
func vector(headers ...[2]string) *signing {
	return &signing{
		service: "cvm", at: time.Unix(1551113065, 0), digest: digestOf(vectorBody),
		headers: append([][2]string{{"content-type", "application/json; charset=utf-8"}, {"host", "cvm.tencentcloudapi.com"}}, headers...),
	}
}

// TestSignature holds against the two examples of "Signature v3" in the API 3.0 documentation: the older one signs the least that
// is possible, the newer one the action too, with a key of asterisks.
func TestSignature(t *testing.T) {
	t.Parallel()
	const body = "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
	tests := map[string]struct {
		signed                             *signing
		id, key                            string
		canonical, signature, headersNames string
	}{
		"the older example": {
			signed: vector(),
			id:     "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
			canonical:    "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031",
			signature:    "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
			headersNames: "content-type;host",
		},
		"the newer example": {
			signed: vector([2]string{"x-tc-action", "DescribeInstances"}),
			id:     "AKID********************************", key: "********************************",
			canonical:    "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84",
			signature:    "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f",
			headersNames: "content-type;host;x-tc-action",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.signed.digest != body {
				t.Errorf("digest of the body = %s, want %s", tc.signed.digest, body)
			}
			if got := digestOf(tc.signed.canonical()); got != tc.canonical {
				t.Errorf("digest of the canonical request = %s, want %s, of\n%s", got, tc.canonical, tc.signed.canonical())
			}
			want := "TC3-HMAC-SHA256 Credential=" + tc.id + "/2019-02-25/cvm/tc3_request, SignedHeaders=" + tc.headersNames +
				", Signature=" + tc.signature
			if got := tc.signed.authorization(tc.id, tc.key); got != want {
				t.Errorf("authorization = %s\nwant            %s", got, want)
			}
		})
	}
}

func TestSignatureIsOfTheDayInUTC(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("CST", 8*60*60)
	tests := map[string]struct {
		at   time.Time
		want string
	}{
		"before midnight in London":   {time.Date(2026, time.November, 24, 7, 59, 59, 0, zone), "2026-11-23/aiart/tc3_request"},
		"from midnight on in London":  {time.Date(2026, time.November, 24, 8, 0, 0, 0, zone), "2026-11-24/aiart/tc3_request"},
		"a month and a year that end": {time.Date(2027, time.January, 1, 0, 0, 0, 0, zone), "2026-12-31/aiart/tc3_request"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &signing{service: "aiart", at: tc.at}
			if got := s.scope(); got != tc.want {
				t.Errorf("scope = %s, want %s", got, tc.want)
			}
		})
	}
}
