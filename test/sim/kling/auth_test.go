package kling

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The example of RFC 7515, appendix A.1.
const (
	rfcSigned = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
		".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	rfcSignature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcKey       = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
)

func TestSign_standardExample(t *testing.T) {
	key, err := base64.RawURLEncoding.DecodeString(rfcKey)
	if err != nil {
		t.Fatalf("decoding the key: %v", err)
	}
	if got := sign(rfcSigned, key); got != rfcSignature {
		t.Errorf("sign = %s, want %s", got, rfcSignature)
	}
}

// knownToken was made with openssl for the issuer "ak-example", the secret "sk-example", nbf 1789999995 and exp 1790001800.
const knownToken = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" +
	".eyJpc3MiOiJhay1leGFtcGxlIiwiZXhwIjoxNzkwMDAxODAwLCJuYmYiOjE3ODk5OTk5OTV9" +
	".Lo4InKBjByDWPQOmiThyjVgipV7I6oLyO8imMxAL2Tc"

func TestCheckToken_knownToken(t *testing.T) {
	for name, tc := range map[string]struct {
		issuer, secret string
		now            int64
		want           int // the code of the refusal, 0 for none
	}{
		"in its time":         {"ak-example", "sk-example", 1_790_000_000, 0},
		"in its first second": {"ak-example", "sk-example", 1_789_999_995, 0},
		"in its last second":  {"ak-example", "sk-example", 1_790_001_799, 0},
		"too early":           {"ak-example", "sk-example", 1_789_999_994, 1003},
		"too late":            {"ak-example", "sk-example", 1_790_001_800, 1004},
		"by another secret":   {"ak-example", "sk-example2", 1_790_000_000, 1000},
		"by another issuer":   {"ak-example2", "sk-example", 1_790_000_000, 1002},
	} {
		t.Run(name, func(t *testing.T) {
			got := 0
			if p := checkToken(knownToken, tc.issuer, tc.secret, time.Unix(tc.now, 0)); p != nil {
				got = p.code
			}
			if got != tc.want {
				t.Errorf("code = %d, want %d", got, tc.want)
			}
		})
	}
}

// token signs a header and claims as they are.
func token(secret, header, claims string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return signed + "." + sign(signed, []byte(secret))
}

func TestAuthenticate(t *testing.T) {
	const header = `{"alg":"HS256","typ":"JWT"}`
	const legacy, current = "/v1/videos/text2video/1", "/tasks?task_ids=1"
	b := start(t)
	now := b.clock.Now().Unix()
	claims := func(exp, nbf any) string {
		return fmt.Sprintf(`{"iss":%q,"exp":%v,"nbf":%v}`, b.sim.AccessKey(), exp, nbf)
	}
	claimed := func(format string, times ...any) string {
		return fmt.Sprintf(format, append([]any{b.sim.AccessKey()}, times...)...)
	}
	signed := func(header, claims string) string { return "Bearer " + token(b.sim.SecretKey(), header, claims) }
	good := signed(header, claims(now+1800, now-5))
	none := signed(`{"alg":"none"}`, claims(now+1800, now))
	for name, tc := range map[string]struct {
		path, value string
		want        string // the code; 1203 and 0 mean that the request came past the door
	}{
		"a JWT":                               {legacy, good, "1203"},
		"the key on the legacy API":           {legacy, "Bearer " + b.sim.Key(), "1203"},
		"the key on the new API":              {current, "Bearer " + b.sim.Key(), "0"},
		"a JWT on the new API":                {current, good, "1002"},
		"nothing":                             {legacy, "", "1001"},
		"nothing on the new API":              {current, "", "1001"},
		"another scheme":                      {legacy, "Token " + b.sim.Key(), "1002"},
		"a key without scheme":                {current, b.sim.Key(), "1002"},
		"another key":                         {current, "Bearer api-key-other", "1000"},
		"the secret itself":                   {legacy, "Bearer " + b.sim.SecretKey(), "1000"},
		"another secret":                      {legacy, "Bearer " + token("other", header, claims(now+1800, now-5)), "1000"},
		"a signature with padding":            {legacy, good + "=", "1000"},
		"no signature":                        {legacy, good[:strings.LastIndexByte(good, '.')+1], "1000"},
		"not valid yet":                       {legacy, signed(header, claims(now+1800, now+1)), "1003"},
		"valid from this second":              {legacy, signed(header, claims(now+1800, now)), "1203"},
		"expired":                             {legacy, signed(header, claims(now, now-5)), "1004"},
		"no nbf":                              {legacy, signed(header, claimed(`{"iss":%q,"exp":%d}`, now+1800)), "1002"},
		"no exp":                              {legacy, signed(header, claimed(`{"iss":%q,"nbf":%d}`, now)), "1002"},
		"exp as a string":                     {legacy, signed(header, claims(fmt.Sprintf(`"%d"`, now+1800), now)), "1002"},
		"exp as a fraction":                   {legacy, signed(header, claims(fmt.Sprintf("%d.5", now+1800), now)), "1002"},
		"milliseconds are not valid yet":      {legacy, signed(header, claims((now+1800)*1000, (now-5)*1000)), "1003"},
		"another issuer":                      {legacy, signed(header, fmt.Sprintf(`{"iss":"x","exp":%d,"nbf":%d}`, now+1800, now)), "1002"},
		"a claim more":                        {legacy, signed(header, claimed(`{"iss":%q,"exp":%d,"nbf":%d,"iat":1}`, now+1800, now)), "1002"},
		"another algorithm":                   {legacy, signed(`{"alg":"HS512","typ":"JWT"}`, claims(now+1800, now)), "1002"},
		"no type":                             {legacy, signed(`{"alg":"HS256"}`, claims(now+1800, now)), "1002"},
		"a header that is no JSON":            {legacy, signed("x", claims(now+1800, now)), "1002"},
		"base64 with padding inside the JWT":  {legacy, "Bearer " + padded(b.sim.SecretKey(), header, claims(now+1800, now)), "1002"},
		"a JWT without a signature algorithm": {legacy, none[:strings.LastIndexByte(none, '.')+1], "1000"},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.send(http.MethodGet, tc.path, "", "Authorization", tc.value)
			want := status401(tc.want)
			if r.get("code") != tc.want || r.status != want {
				t.Errorf("= %d %s, want %d with code %s", r.status, r.body, want, tc.want)
			}
		})
	}
	if entries := b.sim.Ledger(); strings.Contains(fmt.Sprint(entries), b.sim.Key()) {
		t.Error("the ledger holds the key")
	}
}

// status401 is what the test of credentials expects with a code.
func status401(code string) int {
	switch code {
	case "0":
		return http.StatusOK
	case "1203":
		return http.StatusNotFound
	}
	return http.StatusUnauthorized
}

// padded is a token in padded base64.
func padded(secret, header, claims string) string {
	signed := base64.URLEncoding.EncodeToString([]byte(header)) + "." + base64.URLEncoding.EncodeToString([]byte(claims+" "))
	if !strings.Contains(signed, "=") {
		signed += "="
	}
	return signed + "." + sign(signed, []byte(secret))
}

func TestDispatch_wrongMethodsAndPaths(t *testing.T) {
	b := start(t)
	for request, code := range map[string]string{
		"GET /text-to-video/kling-3.0":        "1202",
		"PUT /text-to-video/kling-3.0":        "1202",
		"POST /tasks":                         "1202",
		"GET /v1/videos/text2video":           "1202",
		"DELETE /v1/videos/text2video/1":      "1202",
		"POST /text-to-video/kling-2.0":       "1203",
		"POST /text-to-video/kling-3.0/":      "1203",
		"POST /text-to-video/kling-3.0-omni":  "1203",
		"POST /omni-video/kling-3.0-turbo":    "1203",
		"POST /v1/text-to-video/kling-3.0":    "1203",
		"GET /tasks/1":                        "1203",
		"POST /v1/videos/multi-image2video":   "1203",
		"POST /v1/videos/text-to-video":       "1203",
		"GET /v1/videos/":                     "1203",
		"GET /v1/videos/text2video/1/more":    "1203",
		"GET /":                               "1203",
		"POST /v1/v1/videos/text2video":       "1203",
		"POST /v1/videos/text2video?x=y":      "1200",
		"POST /image-to-video/kling-3.0-omni": "1203",
	} {
		method, path, _ := strings.Cut(request, " ")
		if r := b.send(method, path, ""); r.get("code") != code {
			t.Errorf("%s = %d %s, want code %s", request, r.status, r.body, code)
		}
	}
}

func TestHandles(t *testing.T) {
	for path, want := range map[string]bool{
		"/text-to-video/kling-3.0": true, "/image-to-video/x": true, "/omni-video/kling-3.0-omni": true, "/tasks": true,
		"/v1/videos/text2video/1": true, "/files/1.mp4": true, "/tasks/1": false, "/v1/video_generation": false, "/ent/v2/text2video": false,
	} {
		if got := Handles(path); got != want {
			t.Errorf("Handles(%s) = %v", path, got)
		}
	}
}
