package tokenhub

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
const basePath = "/v1"

// Members of bodies.
const (
	memberModel      = "model"
	memberResolution = "resolution"
)

// versioned is an endpoint that leads to a version of the API already.
var versioned = regexp.MustCompile(`://[^/]+/(?:.*/)?v[0-9]+$`)

// newCall makes a request to a path of the API. All calls are POST.
func newCall(ctx context.Context, path string, up *provider.Upstream, body provider.Body) (*http.Request, error) {
	base := strings.TrimRight(up.Endpoint, "/")
	if !versioned.MatchString(base) {
		base += basePath
	}
	req, err := provider.NewRequest(ctx, http.MethodPost, base+path, up, body)
	if err != nil {
		return nil, err
	}
	// Secrets made by hand often end with a line feed.
	if key := strings.TrimSpace(up.Secrets[keyEntry].Reveal()); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return req, nil
}

// newQuery makes the request that asks about a task. The vendor wants to be told the model again, as it was when the task was made.
func newQuery(ctx context.Context, path string, up *provider.Upstream, t provider.Task) (*http.Request, error) {
	model := t.State
	if model == "" {
		model = up.Model
	}
	return newCall(ctx, path, up, provider.Body{memberModel: model, "id": t.ID})
}

// success says whether a status is one.
func success(status int) bool { return status >= 200 && status < 300 }

// readObject returns the JSON object of a successful answer.
func readObject(r *provider.Response) (gjson.Result, *provider.Error) {
	if !success(r.Status) {
		return gjson.Result{}, failure(r)
	}
	body := bytes.TrimSpace(r.Body)
	if len(body) == 0 || body[0] != '{' || !jsonscan.Valid(body) {
		return gjson.Result{}, provider.BadResponse(r.Status, "not_json", "The answer is not a JSON object.")
	}
	return gjson.ParseBytes(body), nil
}

// readTask reads the answer to a submission. The handle is id; request_id is not one. The model goes into the task's state.
func readTask(r *provider.Response, model string) (provider.Task, error) {
	root, e := readObject(r)
	if e != nil {
		return provider.Task{}, e
	}
	id := root.Get("id").Str
	switch {
	case id == "" && root.Get("error").IsObject():
		return provider.Task{}, failure(r)
	case id == "", len(id) > maxWord, word(id) != id:
		return provider.Task{}, provider.BadResponse(r.Status, "no_task_id", "The answer has no id of a task.")
	}
	return provider.Task{ID: id, State: model}, nil
}

// readQuery reads the answer about a task and its status in lower case. A refusal of the question itself is no fault of the client's.
func readQuery(r *provider.Response) (root gjson.Result, status string, e *provider.Error) {
	if root, e = readObject(r); e == nil {
		if status = strings.ToLower(root.Get("status").Str); status != "" {
			return root, status, nil
		}
		e = provider.BadResponse(r.Status, "no_status", "The answer has no status of a task.")
		if root.Get("error").IsObject() {
			e = failure(r)
		}
	}
	if e.Class == provider.ClassInvalidRequest {
		e.Class = provider.ClassServerError
	}
	return gjson.Result{}, "", e
}

// Words for the status of a task.
const (
	statusQueued    = "queued"
	statusPending   = "pending"
	statusCompleted = "completed"
	statusFailed    = "failed"
)

// results are the things that a task has made. The vendor gives a list of images and a single video: either form is read.
func results(root gjson.Result) []gjson.Result {
	if data := root.Get("data"); data.IsArray() || data.IsObject() {
		return data.Array()
	}
	return nil
}

// fileAddress returns a result's URL, "" if there is none that can be fetched.
func fileAddress(v gjson.Result) string {
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

// mark is the switch for the vendor's mark, which Tencent Cloud has on unless it is said to be off.
func mark(watermark *bool) int {
	if watermark != nil && *watermark {
		return 1
	}
	return 0
}
