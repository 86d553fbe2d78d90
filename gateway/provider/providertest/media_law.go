package providertest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// minSecret is how long a value must be for its occurrence to mean something.
const minSecret = 8

// checkRequest checks what holds for every request: it can be replayed, goes to the upstream, carries the caller's context and
// what the admin adds, and shows no secret but where a credential belongs.
func (r *rig) checkRequest(tb testing.TB, req *http.Request) {
	tb.Helper()
	what := req.Method + " " + req.URL.Path
	if req.Context().Value(mark{}) == nil {
		tb.Errorf("%s does not carry the caller's context", what)
	}
	if req.URL.Host != r.host || req.Host != "" && req.Host != r.host {
		tb.Errorf("%s goes to %q (Host %q), want the endpoint's host %q", what, req.URL.Host, req.Host, r.host)
	}
	agent := provider.UserAgent
	if name := r.up.Header.Get("User-Agent"); name != "" {
		agent = name
	}
	if got := req.Header.Get("User-Agent"); got != agent {
		tb.Errorf("%s: User-Agent = %q, want %q", what, got, agent)
	}
	for name := range r.up.Header {
		if got, want := req.Header.Values(name), r.up.Header.Values(name); !slices.Equal(got, want) {
			tb.Errorf("%s: header %s = %q, want %q as the upstream's Header has it", what, name, got, want)
		}
	}
	body := replay(tb, req)
	for _, problem := range r.leaks(req, body) {
		tb.Errorf("%s: %s", what, problem)
	}
}

// replay checks that a request can be sent again, and returns its body. The request is ready to be sent after that.
func replay(tb testing.TB, req *http.Request) []byte {
	tb.Helper()
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		tb.Fatalf("reading the body of %s: %v", req.URL.Path, err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	if req.ContentLength != int64(len(body)) {
		tb.Errorf("%s: ContentLength = %d, want %d", req.URL.Path, req.ContentLength, len(body))
	}
	if req.GetBody == nil {
		tb.Errorf("%s cannot be replayed: GetBody is nil", req.URL.Path)
		return body
	}
	for range 2 {
		again, err := req.GetBody()
		if err != nil {
			tb.Fatalf("replaying %s: %v", req.URL.Path, err)
		}
		if got, err := io.ReadAll(again); err != nil || !bytes.Equal(got, body) {
			tb.Errorf("%s: the replayed body is another: %s (%v), want %s", req.URL.Path, got, err, body)
		}
	}
	return body
}

// leaks says which secrets a request shows where they do not belong.
func (r *rig) leaks(req *http.Request, body []byte) []string {
	var problems []string
	report := func(place string, entries []string) {
		if len(entries) > 0 {
			problems = append(problems, fmt.Sprintf("the %s holds the values of %q", place, entries))
		}
	}
	secret := func(entry string) bool { return !slices.Contains(r.m.Identifiers, entry) }
	report("address", r.shown(req.URL.String(), secret))
	report("body", r.shown(string(body), secret))
	for name, values := range req.Header {
		_, admins := r.up.Header[name]
		bare := admins || slices.Contains([]string{"User-Agent", "Accept", "Content-Type", "Referer", "Cookie"}, name)
		report("header "+name, r.shown(strings.Join(values, "\n"), func(entry string) bool {
			return secret(entry) && bare || slices.Contains(r.m.Signing, entry)
		}))
	}
	return problems
}

// shown lists the entries of the Secret, of those that matter, whose values occur in a text, as they are or encoded.
func (r *rig) shown(text string, matters func(entry string) bool) []string {
	var entries []string
	for entry, value := range r.up.Secrets {
		if !matters(entry) {
			continue
		}
		plain := strings.TrimSpace(value.Reveal())
		for _, form := range []string{
			plain, url.QueryEscape(plain), url.PathEscape(plain), hex.EncodeToString([]byte(plain)),
			base64.RawStdEncoding.EncodeToString([]byte(plain)), base64.RawURLEncoding.EncodeToString([]byte(plain)),
		} {
			if plain != "" && strings.Contains(text, form) {
				entries = append(entries, entry)
				break
			}
		}
	}
	return entries
}

// fault says what is wrong with an error of an answer with a status; nil if nothing is. Status -1 stands for any.
func (r *rig) fault(err error, status int) error {
	e, ok := errors.AsType[*provider.Error](err)
	if ok && e == nil {
		return errors.New("the error is a nil *provider.Error")
	}
	if !ok {
		return fmt.Errorf("the error is no *provider.Error but a %T: %w", err, err)
	}
	var problems []error
	if e.Class.String() == "unknown" {
		problems = append(problems, fmt.Errorf("the error's class is %d", e.Class))
	}
	if status >= 0 && e.Status != status {
		problems = append(problems, fmt.Errorf("the error's Status is %d, want %d", e.Status, status))
	}
	if len(e.Message) > 1024 {
		problems = append(problems, fmt.Errorf("the error's Message has %d bytes, want at most 1024", len(e.Message)))
	}
	if e.RetryAfter < 0 {
		problems = append(problems, fmt.Errorf("the error's RetryAfter is %s", e.RetryAfter))
	}
	text := strings.Join([]string{err.Error(), e.Message, e.Code, e.Param, e.RequestID, fmt.Sprintf("%+v", e.Cause)}, "\n")
	if entries := r.shown(text, func(entry string) bool { return !slices.Contains(r.m.Identifiers, entry) }); len(entries) > 0 {
		problems = append(problems, fmt.Errorf("the error holds the values of %q", entries))
	}
	return errors.Join(problems...)
}

// lastStatus is the status of the last answer, 0 if there was none.
func (c *courier) lastStatus() int {
	if len(c.answers) == 0 {
		return 0
	}
	return c.answers[len(c.answers)-1].Status
}

// classed checks that an error is lawful and of one of the classes.
func (r *rig) classed(tb testing.TB, what string, err error, status int, want ...provider.Class) {
	tb.Helper()
	if err == nil {
		tb.Errorf("%s: no error, want one of class %s", what, want)
		return
	}
	if problem := r.fault(err, status); problem != nil {
		tb.Errorf("%s: %v", what, problem)
	}
	if e, ok := errors.AsType[*provider.Error](err); ok && e != nil && !slices.Contains(want, e.Class) {
		tb.Errorf("%s: the error is of class %s, want %s: %v: %s", what, e.Class, want, e, e.Message)
	}
}
