package tencent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Words of the signature.
const (
	algorithm  = "TC3-HMAC-SHA256"
	keyPrefix  = "TC3"
	terminator = "tc3_request"
)

// signing is what a signature covers. The method is always POST, the path / and the query empty.
type signing struct {
	// service is the product's name.
	service string
	// headers are the signed headers: names in lower case and values, in the order of the names.
	headers [][2]string
	// digest is the SHA-256 of the body in hexadecimal digits.
	digest string
	at     time.Time
}

// names are those of the signed headers.
func (s *signing) names() string {
	names := make([]string, len(s.headers))
	for i, h := range s.headers {
		names[i] = h[0]
	}
	return strings.Join(names, ";")
}

// canonical is the canonical request. The headers end with a line feed each, so that a blank line follows them.
func (s *signing) canonical() string {
	var headers strings.Builder
	for _, h := range s.headers {
		headers.WriteString(h[0] + ":" + strings.ToLower(strings.TrimSpace(h[1])) + "\n")
	}
	return strings.Join([]string{http.MethodPost, "/", "", headers.String(), s.names(), s.digest}, "\n")
}

// date is the day of the signature in UTC.
func (s *signing) date() string { return s.at.UTC().Format(time.DateOnly) }

// scope says what the signature is good for.
func (s *signing) scope() string { return s.date() + "/" + s.service + "/" + terminator }

// text is the string to sign.
func (s *signing) text() string {
	canonical := sha256.Sum256([]byte(s.canonical()))
	return strings.Join([]string{algorithm, timestamp(s.at), s.scope(), hex.EncodeToString(canonical[:])}, "\n")
}

// signature signs with a key that is derived from the account's for the day and the service.
func (s *signing) signature(secret string) string {
	key := []byte(keyPrefix + secret)
	for _, part := range [...]string{s.date(), s.service, terminator} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, s.text()))
}

// authorization is the header.
func (s *signing) authorization(id, secret string) string {
	return algorithm + " Credential=" + id + "/" + s.scope() + ", SignedHeaders=" + s.names() + ", Signature=" + s.signature(secret)
}

// timestamp is a time as the header X-TC-Timestamp has it.
func timestamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// mac is the HMAC-SHA256 of a text.
func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
