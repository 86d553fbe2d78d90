package sim

import (
	"fmt"
	"net/http"
	"strconv"
)

// Kinds of refusal that follow from the request alone; the switchable ones are in failure.go.
const (
	missingAuth  Mode = "missing_auth"
	badPath      Mode = "bad_path"
	badMethod    Mode = "bad_method"
	badJSON      Mode = "bad_json"
	missingField Mode = "missing_field"
	unknownModel Mode = "unknown_model"
	invalid      Mode = "invalid"
)

// problem is one refusal before it takes the vendor's form. Fields left empty come from the vendor's table.
type problem struct {
	mode       Mode
	status     int
	kind       string // the envelope's type
	code       string
	message    string
	param      string
	retryAfter int  // seconds; 0 means no header
	plain      bool // the message is the whole body, not JSON
}

// generic says what a vendor without own facts answers: OpenAI's statuses and names.
func generic() map[Mode]problem {
	return map[Mode]problem{
		Unauthorized:  {status: 401, kind: "invalid_request_error", code: "invalid_api_key", message: "Incorrect API key provided"},
		NoBalance:     {status: 402, kind: "insufficient_quota", code: "insufficient_quota", message: "You have run out of balance"},
		RateLimit:     {status: 429, kind: "rate_limit_error", code: "rate_limit_exceeded", message: "Rate limit reached"},
		Overload:      {status: 503, kind: "server_error", code: "overloaded", message: "The engine is currently overloaded"},
		ServerError:   {status: 500, kind: "server_error", code: "internal_error", message: "The server had an error"},
		Moderation:    {status: 400, kind: "invalid_request_error", code: "content_filter", message: "The content was rejected as unsafe"},
		ContextLength: {status: 400, kind: "invalid_request_error", code: "context_length_exceeded", message: "The prompt is longer than the model's context"},
		badPath:       {status: 404, kind: "invalid_request_error", code: "not_found", message: "Not found"},
		badMethod:     {status: 405, kind: "invalid_request_error", code: "method_not_allowed", message: "Method not allowed"},
		invalid:       {status: 400, kind: "invalid_request_error", code: "invalid_parameter", message: "Invalid parameter"},
		badJSON:       {status: 400, kind: "invalid_request_error", code: "invalid_json", message: "The body is not valid JSON"},
	}
}

// wider says which kind stands in for one the vendor has no own facts about.
func wider(m Mode) Mode {
	switch m {
	case missingAuth:
		return Unauthorized
	case unknownModel, missingField, badJSON, ContextLength:
		return invalid
	}
	return ""
}

// lookup returns the vendor's problem of a kind: its own, that of the wider kind, or the generic one.
func (sp *spec) lookup(m Mode) problem {
	p, ok := sp.problems[m]
	if !ok {
		p, ok = sp.problems[wider(m)]
	}
	if !ok {
		p, ok = generic()[m]
	}
	if !ok {
		p = generic()[wider(m)]
	}
	p.mode = m
	return p
}

// complete fills p from the vendor's table.
func (sp *spec) complete(p problem) problem {
	full := sp.lookup(p.mode)
	if p.status != 0 {
		return p
	}
	if p.message != "" && full.plain {
		full.message = fmt.Sprintf(full.message, p.message)
	} else if p.message != "" {
		full.message = p.message
	}
	full.param = p.param
	if p.code != "" {
		full.code = p.code
	}
	return full
}

// refuse answers with an error in the vendor's form.
func (x *exchange) refuse(p *problem) {
	full := x.spec.complete(*p)
	x.entry.Reason = full.message
	if full.retryAfter > 0 {
		x.w.Header().Set("Retry-After", strconv.Itoa(full.retryAfter))
	}
	if full.plain {
		x.sendBody(full.status, "text/plain; charset=utf-8", []byte(full.message))
		return
	}
	status := full.status
	if x.spec.status200 != nil && x.spec.status200(full) {
		status = http.StatusOK
	}
	x.sendJSON(status, encode(x.spec.envelope(full, x.entry.ID)))
}

// errorObject is the envelope most vendors share: message, type, param and code under "error".
func errorObject(p problem, _ string) object {
	return obj("error", obj("message", p.message, "type", p.kind, "param", orNull(p.param), "code", orNull(p.code)))
}
