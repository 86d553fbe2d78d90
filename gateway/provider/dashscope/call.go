package dashscope

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// keyEntry is the entry of the Secret that holds the API key.
const keyEntry = "api-key"

// basePath is where the API lies below the vendor's root.
const basePath = "/api/v1"

// asyncHeader makes a call one that makes a task. Endpoints that know nothing else refuse calls without it.
const asyncHeader = "X-DashScope-Async"

// native is an endpoint that leads to this API already. Compatible is one that leads to another API of the same root, such as that
// of chat completions.
var (
	native     = regexp.MustCompile(`://[^/]+/(?:.*/)?api/v[0-9]+$`)
	compatible = regexp.MustCompile(`^([^/]*//[^/]+(?:/.*?)??)(?:/compatible-[a-z]+)?/v[0-9]+$`)
)

// apiBase is the address of the API behind a credential's endpoint: a root, or what serves the same account's chat completions.
func apiBase(endpoint string) string {
	endpoint = strings.TrimRight(endpoint, "/")
	if native.MatchString(endpoint) {
		return endpoint
	}
	return compatible.ReplaceAllString(endpoint, "$1") + basePath
}

// newCall makes a request to a path of the API. A nil body sends none.
func newCall(ctx context.Context, method, path string, up *provider.Upstream, body any) (*http.Request, error) {
	req, err := provider.NewRequest(ctx, method, apiBase(up.Endpoint)+path, up, body)
	if err != nil {
		return nil, err
	}
	// Secrets made by hand often end with a line feed.
	if key := strings.TrimSpace(up.Secrets[keyEntry].Reveal()); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return req, nil
}

// newSubmission makes a request that makes a task. The admin's parameters change the body first.
func newSubmission(ctx context.Context, path string, up *provider.Upstream, body provider.Body) (*http.Request, error) {
	up.Parameters.Override(body)
	req, err := newCall(ctx, http.MethodPost, path, up, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set(asyncHeader, "enable")
	return req, nil
}

// success says whether a status is one.
func success(status int) bool { return status >= 200 && status < 300 }

// readObject returns the JSON object of a successful answer.
func readObject(r *provider.Response) (gjson.Result, error) {
	if !success(r.Status) {
		return gjson.Result{}, failure(r)
	}
	body := bytes.TrimSpace(r.Body)
	if len(body) == 0 || body[0] != '{' || !jsonscan.Valid(body) {
		return gjson.Result{}, provider.BadResponse(r.Status, "not_json", "The answer is not a JSON object.")
	}
	return gjson.ParseBytes(body), nil
}

// address returns a result's URL, "" if there is none that can be fetched.
func address(v gjson.Result) string {
	if v.Type == gjson.String && (strings.HasPrefix(v.Str, "https://") || strings.HasPrefix(v.Str, "http://")) {
		return v.Str
	}
	return ""
}
