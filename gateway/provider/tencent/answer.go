package tencent

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// success says whether a status is one.
func success(status int) bool { return status >= 200 && status < 300 }

// readObject returns the member Response of a successful answer, which may be a refusal.
func readObject(r *provider.Response) (gjson.Result, *provider.Error) {
	if !success(r.Status) {
		return gjson.Result{}, failure(r)
	}
	body := bytes.TrimSpace(r.Body)
	if len(body) == 0 || body[0] != '{' || !jsonscan.Valid(body) {
		return gjson.Result{}, provider.BadResponse(r.Status, "not_json", "The answer is not a JSON object.")
	}
	o := gjson.GetBytes(body, "Response")
	if !o.IsObject() {
		return gjson.Result{}, provider.BadResponse(r.Status, "no_response", "The answer has no Response.")
	}
	return o, nil
}

// readResponse returns the member Response of an answer that is no refusal.
func readResponse(r *provider.Response) (gjson.Result, *provider.Error) {
	o, err := readObject(r)
	if err != nil {
		return gjson.Result{}, err
	}
	if e := o.Get("Error"); e.Exists() && e.Type != gjson.Null {
		return gjson.Result{}, failure(r)
	}
	return o, nil
}

// readPoll is readResponse for a question about a job. A refusal of the question itself is no fault of the client's.
func readPoll(r *provider.Response) (gjson.Result, *provider.Error) {
	o, err := readResponse(r)
	if err != nil && err.Class == provider.ClassInvalidRequest {
		err.Class, err.Param = provider.ClassServerError, ""
	}
	return o, err
}

// readJob reads the answer to a submission. The region goes into the task's state: a job is known in its region alone.
func readJob(r *provider.Response, region string) (provider.Task, error) {
	o, err := readResponse(r)
	if err != nil {
		return provider.Task{}, err
	}
	id := text(o.Get("JobId"))
	if id == "" || len(id) > maxWord || word(id) != id {
		return provider.Task{}, provider.BadResponse(r.Status, "no_job_id", "The answer has no id of a job.")
	}
	return provider.Task{ID: id, State: region}, nil
}

// text is a string or the digits of a number, "" for anything else.
func text(v gjson.Result) string {
	if v.Type == gjson.Number {
		return v.Raw
	}
	return v.Str
}

// fileAddress returns a result's URL, "" if there is none that can be fetched.
func fileAddress(v gjson.Result) string {
	if isURL(v.Str) {
		return v.Str
	}
	return ""
}

// isURL says whether a text is an address that can be fetched.
func isURL(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }
