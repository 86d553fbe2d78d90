package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// UserAgent names the gateway to vendors. A content delivery network in front of one of them refuses the default names of
// libraries.
const UserAgent = "vipcloud"

// Response is an upstream's whole answer to one call, whatever its status.
type Response struct {
	Status int
	Header http.Header
	// Body is the whole body, bounded by the caller.
	Body []byte
}

// Step is one call to an upstream and what to make of its answer. Vendors that need several calls for one thing return the next
// step instead of a result. The caller sends the request, and Read is called once with what came back.
type Step[T any] struct {
	// Request is ready to be sent; its GetBody is set if it has a body.
	Request *http.Request
	// Paid says that the call may make something that the vendor bills: it is not repeated once it was sent and its outcome is
	// unknown.
	Paid bool
	// Read turns an answer into a result, or into the next step with no result. Errors are of type *Error.
	Read func(*Response) (T, *Step[T], error)
}

// Body is a JSON request body under construction. Values are whatever encoding/json marshals.
type Body map[string]any

// Set sets a member unless the value is the zero value of its type, which stands for a parameter that was not given.
func Set[T comparable](b Body, name string, value T) {
	var zero T
	if value != zero {
		b[name] = value
	}
}

// Override changes the top-level members of a body as the admin wants it: overrides first, then drops. Adapters call it on bodies
// that carry the client's parameters, last of all, so that the admin has the last word.
func (p *Parameters) Override(b Body) {
	for _, o := range p.Overrides {
		b[o.Name] = o.Value
	}
	maps.DeleteFunc(b, func(name string, _ any) bool { return slices.Contains(p.Drop, name) })
}

// NewRequest makes a request with the header that every call to a vendor has: the gateway's name and what the admin adds.
// A nil body sends none. Credentials are the caller's to add. It fails, with an *Error, if the endpoint makes no URL.
func NewRequest(ctx context.Context, method, address string, up *Upstream, body any) (*http.Request, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return nil, &Error{Class: ClassInvalidRequest, Message: "The request cannot be written as JSON.", Cause: err}
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the address may hold what nobody should read
		}
		return nil, &Error{Class: ClassNetwork, Code: "invalid_endpoint", Cause: err}
	}
	req.Header.Set("User-Agent", UserAgent)
	for name, values := range up.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("Accept", "application/json")
	if data != nil {
		req.Header.Set("Content-Type", "application/json")
		req.ContentLength = int64(len(data))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
		req.Body, _ = req.GetBody() // never fails
	}
	return req, nil
}

// Invalid is the error of a request that a vendor cannot take: the member at fault, and a message that says what to send instead.
func Invalid(param, format string, args ...any) *Error {
	return &Error{Class: ClassInvalidRequest, Param: param, Message: fmt.Sprintf(format, args...)}
}

// BadResponse is the error of an answer that cannot be understood.
func BadResponse(status int, code, message string) *Error {
	return &Error{Class: ClassBadResponse, Status: status, Code: code, Message: message}
}
