package ark

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
const basePath = "/api/v3"

// versioned is an endpoint that leads to a version of the API already, such as that of a plan or of a proxy.
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
	if strings.HasPrefix(v.Str, "https://") || strings.HasPrefix(v.Str, "http://") {
		return v.Str
	}
	return ""
}
