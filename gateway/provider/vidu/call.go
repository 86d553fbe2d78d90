package vidu

import (
	"bytes"
	"context"
	"encoding/json"
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
const basePath = "/ent/v2"

// newCall makes a request to a path of the API. A nil body sends none.
func newCall(ctx context.Context, method, path string, up *provider.Upstream, body any) (*http.Request, error) {
	req, err := provider.NewRequest(ctx, method, strings.TrimRight(up.Endpoint, "/")+basePath+path, up, body)
	if err != nil {
		return nil, err
	}
	// Secrets made by hand often end with a line feed.
	if key := strings.TrimSpace(up.Secrets[keyEntry].Reveal()); key != "" {
		req.Header.Set("Authorization", "Token "+key)
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
	root := gjson.ParseBytes(body)
	if root.Get("reason").Str != "" {
		return gjson.Result{}, failure(r)
	}
	return root, nil
}

// identity is what an id of the vendor's looks like: digits so far, more of them than a float holds.
var identity = regexp.MustCompile(`^[0-9A-Za-z_-]{1,96}$`)

// identifier returns an id as text, whether it is written as one or as a number; "" if it is none.
func identifier(v gjson.Result) string {
	if v.Type != gjson.String && v.Type != gjson.Number {
		return ""
	}
	if id := v.String(); identity.MatchString(id) {
		return id
	}
	return ""
}

// address returns a result's URL, "" if there is none that can be fetched.
func address(v gjson.Result) string {
	if strings.HasPrefix(v.Str, "https://") || strings.HasPrefix(v.Str, "http://") {
		return v.Str
	}
	return ""
}

// member returns a member of a body as JSON, whatever Go type it has; it does not exist if it is absent or null.
func member(b provider.Body, name string) gjson.Result {
	raw, err := json.Marshal(b[name])
	if err != nil || string(raw) == "null" {
		return gjson.Result{}
	}
	return gjson.ParseBytes(raw)
}
