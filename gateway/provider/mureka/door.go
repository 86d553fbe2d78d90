package mureka

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// keyEntry is the entry of the Secret that holds the API key.
const keyEntry = "api-key"

// skyworkPath is the only path of Skywork's gateway, skyworkHost where it is.
const (
	skyworkPath = "/api/v1/music?action="
	skyworkHost = "https://api.skyworkmodel.ai"
)

// What is made, as paths and actions have it. What a task makes goes into Task.State: it is known only to the call of its kind.
const (
	kindSong         = "song"
	kindInstrumental = "instrumental"
	kindLyrics       = "lyrics"
)

// door is one of the two ways to the vendor.
type door struct{ skywork bool }

// doorOf is the door of an upstream.
func doorOf(up *provider.Upstream) door { return door{skywork: up.Protocol == protocolSkywork} }

// generate is where something of a kind is made.
func (d door) generate(kind string) string {
	if d.skywork {
		return skyworkPath + kind + "_generate"
	}
	return "/v1/" + kind + "/generate"
}

// query is where a task of a kind is asked about.
func (d door) query(kind, id string) string {
	if d.skywork {
		return skyworkPath + kind + "_query&task_id=" + url.QueryEscape(id)
	}
	return "/v1/" + kind + "/query/" + url.PathEscape(id)
}

// newCall makes a request to a path. A nil body sends none.
func newCall(ctx context.Context, method, path string, up *provider.Upstream, body any) (*http.Request, error) {
	root := strings.TrimRight(up.Endpoint, "/")
	if doorOf(up).skywork {
		for _, r := range regions() {
			if r.Endpoint == root {
				cause := fmt.Errorf("protocol %s is not served at %s: set the endpoint to %s", protocolSkywork, root, skyworkHost)
				return nil, &provider.Error{Class: provider.ClassModelNotFound, Code: "wrong_endpoint", Cause: cause}
			}
		}
	}
	req, err := provider.NewRequest(ctx, method, root+path, up, body)
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

// readContent returns what a successful answer tells. The platform tells it as it is; Skywork puts it into an envelope
// {code, message, resp_data}, whose last member the documents also call data.
func readContent(r *provider.Response) (gjson.Result, error) {
	if !success(r.Status) {
		return gjson.Result{}, failure(r)
	}
	body := bytes.TrimSpace(r.Body)
	if len(body) == 0 || body[0] != '{' || !jsonscan.Valid(body) {
		return gjson.Result{}, provider.BadResponse(r.Status, "not_json", "The answer is not a JSON object.")
	}
	root := gjson.ParseBytes(body)
	if root.Get("code").Int() != 0 || root.Get("error").IsObject() {
		return gjson.Result{}, failure(r)
	}
	for _, name := range [...]string{"resp_data", "data"} {
		if v := root.Get(name); v.IsObject() {
			return v, nil
		}
	}
	return root, nil
}

// identity is what an id of the vendor's looks like: digits so far.
var identity = regexp.MustCompile(`^[0-9A-Za-z_-]{1,96}$`)

// member returns a member of a body as JSON, whatever Go type it has; it does not exist if it is absent or null.
func member(b provider.Body, name string) gjson.Result {
	raw, err := json.Marshal(b[name])
	if err != nil || string(raw) == "null" {
		return gjson.Result{}
	}
	return gjson.ParseBytes(raw)
}
