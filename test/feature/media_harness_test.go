package feature_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"
)

// answer is a whole response.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// post sends a JSON body with the test's key.
func (e *env) post(path string, body map[string]any, header ...string) *answer {
	e.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		e.t.Fatal(err)
	}
	return e.take(e.do(http.MethodPost, path, string(data), header...))
}

// get asks with the test's key.
func (e *env) get(path string, header ...string) *answer {
	e.t.Helper()
	return e.take(e.do(http.MethodGet, path, "", header...))
}

// take reads a response.
func (e *env) take(resp *http.Response) *answer {
	e.t.Helper()
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatalf("reading the answer: %v", err)
	}
	return &answer{t: e.t, status: resp.StatusCode, header: resp.Header, body: body}
}

// expect fails unless the status is that.
func (a *answer) expect(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %.500s", a.status, status, a.body)
	}
	return a
}

// decode reads the document into v.
func (a *answer) decode(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("reading %.300s: %v", a.body, err)
	}
}

// publicError is the envelope's inside.
type publicError struct{ Message, Type, Code, Param string }

// error reads the envelope.
func (a *answer) error() publicError {
	a.t.Helper()
	var envelope struct{ Error publicError }
	a.decode(&envelope)
	return envelope.Error
}

// fetch gets a file without any credential.
func fetch(t *testing.T, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("fetching %s: status %d, %v", url, resp.StatusCode, err)
	}
	return data
}

// decimalOf reads a decimal, for comparisons within a tolerance.
func decimalOf(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatalf("%q is no decimal: %v", s, err)
	}
	return f
}
