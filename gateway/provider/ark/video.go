package ark

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// tasksPath is where videos are made.
const tasksPath = "/contents/generations/tasks"

// expiry is how long a task may take before the vendor gives it up, unless execution_expires_after says otherwise.
const expiry = 48 * time.Hour

// flagWarning tells the client what became of flags in its prompt.
const flagWarning = "The prompt holds flags such as --duration: they were sent as plain text. Use the parameters of the request instead."

// videos makes videos with Seedance. It has no state.
type videos struct{}

var _ provider.Video = videos{}

// Video returns the adapter of Seedance.
func Video() provider.Video { return videos{} }

// SubmitVideo implements provider.Video. What is billed is always said explicitly: duration, resolution and sound.
func (videos) SubmitVideo(ctx context.Context, up *provider.Upstream, in *provider.VideoRequest) (*provider.Submission, error) {
	m := videoModelOf(up.Model)
	if err := m.check(in); err != nil {
		return nil, err
	}
	prompt, changed := plainPrompt(in.Prompt)
	b := videoBody(up.Model, &m, in, prompt)
	up.Parameters.Override(b)
	req, err := newCall(ctx, http.MethodPost, tasksPath, up, b)
	if err != nil {
		return nil, err
	}
	s := &provider.Submission{
		Step:     &provider.Step[provider.Task]{Request: req, Paid: true, Read: readTask},
		Billing:  billing(b, &m),
		Deadline: expiry,
	}
	if changed {
		s.Warnings = []string{flagWarning}
	}
	if after := member(b, "execution_expires_after").Int(); after > 0 {
		s.Deadline = time.Duration(min(after, int64(7*24*time.Hour/time.Second))) * time.Second // the record lives no longer
	}
	return s, nil
}

// videoBody translates a request that was checked.
func videoBody(id string, m *videoModel, in *provider.VideoRequest, prompt string) provider.Body {
	var content []map[string]any
	if prompt != "" {
		content = append(content, map[string]any{"type": "text", "text": prompt})
	}
	frame := func(role, image string) {
		if image != "" {
			address := map[string]any{"url": reference(image)}
			content = append(content, map[string]any{"type": "image_url", "role": role, "image_url": address})
		}
	}
	frame("first_frame", in.Image)
	frame("last_frame", in.LastImage)
	b := provider.Body{
		"model": id, "content": content, "duration": defaultSeconds, "resolution": defaultResolution,
		"watermark": in.Watermark != nil && *in.Watermark,
	}
	provider.Set(b, "duration", in.Duration)
	provider.Set(b, "resolution", in.Resolution)
	provider.Set(b, "ratio", in.AspectRatio)
	if !m.silent {
		b["generate_audio"] = in.Audio == nil || *in.Audio
	}
	if in.Seed != nil {
		b["seed"] = *in.Seed
	}
	return b
}

// billing is what a task costs by its body, in which the admin has had the last word: what was dropped takes the vendor's
// default, and a duration that is left to the model may be its longest.
func billing(b provider.Body, m *videoModel) provider.Billing {
	bill := provider.Billing{Seconds: defaultSeconds, Resolution: defaultResolution, Audio: !m.silent}
	if v := member(b, "duration"); v.Exists() {
		if bill.Seconds = v.Int(); bill.Seconds <= 0 {
			bill.Seconds = int64(m.maxSeconds)
		}
	}
	if v := member(b, "resolution"); v.Exists() {
		bill.Resolution = strings.ToLower(v.Str)
	}
	if v := member(b, "generate_audio"); v.Exists() {
		bill.Audio = v.Bool()
	}
	return bill
}

// member returns a member of a body as JSON, whatever Go type it has; it does not exist if it is absent or null.
func member(b provider.Body, name string) gjson.Result {
	raw, err := json.Marshal(b[name])
	if err != nil || string(raw) == "null" {
		return gjson.Result{}
	}
	return gjson.ParseBytes(raw)
}

// readTask reads the answer to a submission.
func readTask(r *provider.Response) (provider.Task, *provider.Step[provider.Task], error) {
	root, err := readObject(r)
	if err != nil {
		return provider.Task{}, nil, err
	}
	if e := root.Get("error"); e.IsObject() {
		return provider.Task{}, nil, reported(e, r.Status)
	}
	id := root.Get("id").Str
	if id == "" || len(id) > maxWord || word(id) != id {
		return provider.Task{}, nil, provider.BadResponse(r.Status, "no_task_id", "The answer has no id of a task.")
	}
	return provider.Task{ID: id}, nil, nil
}
