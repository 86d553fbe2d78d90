package tencent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clockSkew is how far a request's timestamp may be from the vendor's clock.
const clockSkew = 5 * time.Minute

// authorization is the header's only accepted form: the scope ends in tc3_request, names and digits are in lower case.
var authorization = regexp.MustCompile(`^TC3-HMAC-SHA256 Credential=([^/, ]+)/([0-9]{4}-[0-9]{2}-[0-9]{2})/([a-z0-9]+)/tc3_request, ` +
	`SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$`)

// account is the credential that signatures are checked with.
type account struct{ id, key string }

// signature is a parsed Authorization header.
type signature struct {
	id, date, service, names, sum string
}

// verify checks the signature of a request as "Signature v3" of the API 3.0 documentation describes it, and returns the
// product of the credential scope.
func (a account) verify(r *http.Request, body []byte, now time.Time) (string, *problem) {
	sig, p := parseAuthorization(r.Header.Values("Authorization"))
	if p != nil {
		return "", p
	}
	timestamp := r.Header.Get("X-TC-Timestamp")
	if p := checkTime(timestamp, sig.date, now); p != nil {
		return "", p
	}
	switch {
	case r.Header.Get("X-TC-Token") != "": // this credential is a permanent one
		return "", refusal("AuthFailure.TokenFailure", "a token belongs to temporary credentials")
	case !strings.HasPrefix(sig.id, "AKID"):
		return "", refusal("AuthFailure.InvalidSecretId", "the SecretId is not an API key of the cloud")
	case sig.id != a.id:
		return "", refusal("AuthFailure.SecretIdNotFound", "the SecretId is not found")
	}
	canonical, p := canonicalRequest(r, sig.names, body)
	if p != nil {
		return "", p
	}
	if !hmac.Equal([]byte(sig.sum), []byte(a.sign(stringToSign(canonical, timestamp, sig), sig))) {
		return "", refusal(badSignature, "the provided credentials could not be validated")
	}
	return sig.service, nil
}

func parseAuthorization(values []string) (signature, *problem) {
	if len(values) != 1 {
		return signature{}, refusal("AuthFailure.InvalidAuthorization", "one Authorization header is needed, there are %d", len(values))
	}
	m := authorization.FindStringSubmatch(values[0])
	if m == nil {
		return signature{}, refusal("AuthFailure.InvalidAuthorization", "the Authorization header is not of the form of TC3-HMAC-SHA256")
	}
	return signature{id: m[1], date: m[2], service: m[3], names: m[4], sum: m[5]}, nil
}

// checkTime checks the timestamp against the clock, and the scope's date against the timestamp.
func checkTime(timestamp, date string, now time.Time) *problem {
	if timestamp == "" {
		return refusal(missing, "the header X-TC-Timestamp is missing")
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return refusal(badParameter, "X-TC-Timestamp is not a number of seconds")
	}
	at := time.Unix(seconds, 0).UTC()
	if now.Sub(at).Abs() > clockSkew {
		return refusal("AuthFailure.SignatureExpire", "the timestamp is more than five minutes off")
	}
	if at.Format(time.DateOnly) != date {
		return refusal(badSignature, "the date of the credential scope is not the UTC date of the timestamp")
	}
	return nil
}

// canonicalRequest rebuilds what the client has signed, from what arrived.
func canonicalRequest(r *http.Request, signed string, body []byte) (string, *problem) {
	names := strings.Split(signed, ";")
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		return "", refusal(badSignature, "the signed headers are not in order")
	}
	if !slices.Contains(names, "content-type") || !slices.Contains(names, "host") {
		return "", refusal(badSignature, "content-type and host must be signed")
	}
	var headers strings.Builder
	for _, name := range names {
		values := r.Header.Values(name)
		if name == "host" { // net/http moves it out of the header
			values = []string{r.Host}
		}
		if len(values) != 1 {
			return "", refusal(badSignature, "the signed header %s arrived %d times", name, len(values))
		}
		headers.WriteString(name + ":" + strings.ToLower(strings.TrimSpace(values[0])) + "\n")
	}
	return strings.Join([]string{http.MethodPost, "/", "", headers.String(), signed, sum(body)}, "\n"), nil
}

func stringToSign(canonical, timestamp string, sig signature) string {
	return strings.Join([]string{"TC3-HMAC-SHA256", timestamp, sig.date + "/" + sig.service + "/tc3_request", sum([]byte(canonical))}, "\n")
}

// sign derives the key of the scope and signs.
func (a account) sign(text string, sig signature) string {
	key := []byte("TC3" + a.key)
	for _, part := range []string{sig.date, sig.service, "tc3_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, text))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}
