package minimax

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// keyEntry is the entry of the Secret that holds the API key.
const keyEntry = "api-key"

// basePath is where the API lies below the vendor's root.
const basePath = "/v1"

// versioned is an endpoint that leads to a version of the API already, as SDKs want it.
var versioned = regexp.MustCompile(`://[^/]+/(?:.*/)?v[0-9]+$`)

// newCall makes a request to a path of the API. A nil body sends none.
func newCall(ctx context.Context, method, path string, up *provider.Upstream, body any) (*http.Request, error) {
	base := strings.TrimRight(up.Endpoint, "/")
	if !versioned.MatchString(base) {
		base += basePath
	}
	req, err := provider.NewRequest(ctx, method, base+path, up, body)
	if err != nil {
		return nil, err
	}
	// Secrets made by hand often end with a line feed.
	if key := strings.TrimSpace(up.Secrets[keyEntry].Reveal()); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return req, nil
}

// success says whether a status is one.
func success(status int) bool { return status >= 200 && status < 300 }

// member returns a member of a body as JSON, whatever Go type it has; it does not exist if it is absent or null.
func member(b provider.Body, name string) gjson.Result {
	raw, err := json.Marshal(b[name])
	if err != nil || string(raw) == "null" {
		return gjson.Result{}
	}
	return gjson.ParseBytes(raw)
}
