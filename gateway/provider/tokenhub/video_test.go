package tokenhub

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestVideoBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in         provider.VideoRequest
		want       string
		resolution string
		warnings   []string
	}{
		"nothing but a prompt": {
			in: provider.VideoRequest{Prompt: "a cat"}, want: `{"logo_add":0,"model":"hy-video-1.5","prompt":"a cat"}`, resolution: "720p",
		},
		"what one gets": {
			in:   provider.VideoRequest{Prompt: " a cat\n", Duration: 5, Resolution: "720p", Audio: new(false)},
			want: `{"logo_add":0,"model":"hy-video-1.5","prompt":"a cat","resolution":"720p"}`, resolution: "720p",
		},
		"1080p": {
			in:   provider.VideoRequest{Prompt: "a cat", Resolution: "1080p"},
			want: `{"logo_add":0,"model":"hy-video-1.5","prompt":"a cat","resolution":"1080p"}`, resolution: "1080p",
		},
		"an image alone": {
			in:   provider.VideoRequest{Image: "https://example.com/a.png"},
			want: `{"image":{"url":"https://example.com/a.png"},"logo_add":0,"model":"hy-video-1.5"}`, resolution: "720p",
		},
		"a watermark": {
			in: provider.VideoRequest{Prompt: "a cat", Watermark: new(true)}, want: `{"logo_add":1,"model":"hy-video-1.5","prompt":"a cat"}`,
			resolution: "720p",
		},
		"no watermark": {
			in: provider.VideoRequest{Prompt: "a cat", Watermark: new(false)}, want: `{"logo_add":0,"model":"hy-video-1.5","prompt":"a cat"}`,
			resolution: "720p", warnings: []string{markWarning},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Video().SubmitVideo(t.Context(), upstream(clipModel), &tc.in)
			if err != nil {
				t.Fatalf("SubmitVideo() error = %v", err)
			}
			req := got.Step.Request
			if body := bodyOf(t, req); body != tc.want {
				t.Errorf("body = %s\nwant   %s", body, tc.want)
			}
			if req.Method != http.MethodPost || req.URL.String() != "https://tokenhub.tencentmaas.com/v1/api/video/submit" {
				t.Errorf("call = %s %s", req.Method, req.URL)
			}
			task, next, err := got.Step.Read(answer(200, `{"id":"1-2","request_id":"r","object":"video","status":"queued"}`))
			if err != nil || next != nil || task != (provider.Task{ID: "1-2", State: clipModel}) {
				t.Errorf("Read() = %+v, %v, %v", task, next, err)
			}
			got.Step.Request, got.Step.Read = nil, nil
			want := &provider.Submission{
				Step:    &provider.Step[provider.Task]{Paid: true},
				Billing: provider.Billing{Seconds: 5, Resolution: tc.resolution}, Warnings: tc.warnings,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("submission (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVideoParameters(t *testing.T) {
	t.Parallel()
	override := func(name, value string) provider.Parameters {
		return provider.Parameters{Overrides: []provider.Parameter{{Name: name, Value: []byte(value)}}}
	}
	tests := map[string]struct {
		parameters provider.Parameters
		seconds    int64
		resolution string
	}{
		"a length, of another model":  {override("duration", "10"), 10, "1080p"},
		"a length that is rounded up": {override("duration", "7.5"), 8, "1080p"},
		"a length that is a text":     {override("duration", `"10"`), 5, "1080p"},
		"a length that cannot be":     {override("duration", "1e9"), 5, "1080p"},
		"another resolution":          {override("resolution", `"4K"`), 5, "4k"},
		"a resolution that is none":   {override("resolution", `null`), 5, "720p"},
		"no resolution":               {provider.Parameters{Drop: []string{"resolution"}}, 5, "720p"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream(clipModel)
			up.Parameters = tc.parameters
			got, err := Video().SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat", Resolution: "1080p"})
			if err != nil {
				t.Fatal(err)
			}
			if want := (provider.Billing{Seconds: tc.seconds, Resolution: tc.resolution}); got.Billing != want {
				t.Errorf("billing = %+v, want %+v", got.Billing, want)
			}
			body := bodyOf(t, got.Step.Request)
			for _, o := range tc.parameters.Overrides {
				if part := `"` + o.Name + `":` + string(o.Value); !strings.Contains(body, part) {
					t.Errorf("body = %s, want %s in it", body, part)
				}
			}
			for _, name := range tc.parameters.Drop {
				if strings.Contains(body, name) {
					t.Errorf("body = %s, want no %s in it", body, name)
				}
			}
		})
	}
}

func TestVideoRefusals(t *testing.T) {
	t.Parallel()
	type request = provider.VideoRequest
	address := "https://example.com/a.png"
	tests := map[string]struct {
		in      request
		param   string
		message string // what is in it
	}{
		"nothing at all":    {request{}, "prompt", "needs a prompt"},
		"blanks":            {request{Prompt: " \n"}, "prompt", "needs a prompt"},
		"four seconds":      {request{Prompt: "a", Duration: 4}, "duration", "about 5 seconds"},
		"six seconds":       {request{Prompt: "a", Duration: 6}, "duration", "send 5"},
		"4k":                {request{Prompt: "a", Resolution: "4k"}, "resolution", `makes 720p and 1080p, not "4k"`},
		"a ratio":           {request{Prompt: "a", AspectRatio: "16:9"}, "aspect_ratio", "no aspect ratio"},
		"a last frame":      {request{Image: address, LastImage: address}, "last_image", "no last frame"},
		"a seed":            {request{Prompt: "a", Seed: new(int64(0))}, "seed", "no seed"},
		"a negative prompt": {request{Prompt: "a", NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"sound":             {request{Prompt: "a", Audio: new(true)}, "audio", "without sound"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Video().SubmitVideo(t.Context(), upstream(clipModel), &tc.in)
			if e := refusal(t, err); e.Param != tc.param || !strings.Contains(e.Message, tc.message) || s != nil {
				t.Errorf("%s: %s; want %s and %q", e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
}

func TestReadState(t *testing.T) {
	t.Parallel()
	finished := time.Date(2026, time.March, 29, 17, 50, 39, 0, time.UTC)
	failed := func(class provider.Class, code, message string) provider.TaskState {
		return provider.TaskState{Status: provider.TaskFailed, Progress: -1, FinishedAt: finished, Failure: &provider.Error{
			Class: class, Status: 200, Code: code, Message: message, RequestID: "r1",
		}}
	}
	lost := provider.TaskState{
		Status: provider.TaskFailed, Progress: -1, FinishedAt: finished,
		Failure: provider.BadResponse(200, "no_video", "The task is completed and has made no video."),
	}
	video := func(progress int) provider.TaskState {
		return provider.TaskState{Status: provider.TaskCompleted, Progress: progress, FinishedAt: finished, Files: []provider.TaskFile{
			{URL: "https://f.example.com/v?sign=1", ContentType: "video/mp4", Lifetime: time.Hour},
		}}
	}
	const url = `"url":"https://f.example.com/v?sign=1"`
	tests := map[string]struct {
		status, members string
		want            provider.TaskState
	}{
		"waiting":                   {"queued", `"progress":0`, provider.TaskState{Status: provider.TaskQueued}},
		"waiting, in another word":  {"pending", `"progress":null`, provider.TaskState{Status: provider.TaskQueued, Progress: -1}},
		"running":                   {"in_progress", `"progress":50`, provider.TaskState{Status: provider.TaskInProgress, Progress: 50}},
		"a part of a percent":       {"in_progress", `"progress":99.9`, provider.TaskState{Status: provider.TaskInProgress, Progress: 99}},
		"a progress that cannot be": {"in_progress", `"progress":101`, provider.TaskState{Status: provider.TaskInProgress, Progress: -1}},
		"less than nothing":         {"in_progress", `"progress":-1`, provider.TaskState{Status: provider.TaskInProgress, Progress: -1}},
		"a word that nobody knows":  {"pondering", `"data":{` + url + `}`, provider.TaskState{Status: provider.TaskInProgress, Progress: -1}},
		"completed":                 {"completed", `"progress":100,"data":{` + url + `},"usage":{"credits":1.5,"duration":42}`, video(100)},
		"capitals, and a list":      {"COMPLETED", `"data":[{` + url + `}]`, video(-1)},
		"completed, and nothing":    {"completed", `"data":{}`, lost},
		"completed, and no address": {"completed", `"data":{"url":"cos://bucket/v"}`, lost},
		"completed, and an error": {
			"completed", `"data":null,"error":{"code":"451001","message":"no"}`, failed(provider.ClassModeration, "451001", "no"),
		},
		"failed":               {"failed", `"error":{"code":"504001","message":"late"}`, failed(provider.ClassServerError, "504001", "late")},
		"failed for no reason": {"failed", `"error":{}`, failed(provider.ClassServerError, "task_failed", "")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"request_id":"r1","object":"video","created_at":1774806585,"status":"` + tc.status + `",` + tc.members
			if tc.want.Status.Ended() {
				body += `,"completed_at":1774806639`
			}
			got, err := readState(answer(200, body+`}`))
			if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
				t.Errorf("error = %v, state (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestVideoTaskThatIsNotKnown(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		body   string
		gone   bool
	}{
		"a code for it":            {404, `{"error":{"code":"404001","message":"no task"}}`, true},
		"a code for it in a 200":   {200, `{"error":{"code":"404001","message":"no task"}}`, true},
		"a parameter that is none": {400, `{"error":{"code":"400001","message":"no task"}}`, false},
		"a model that is none":     {400, `{"error":{"code":"400004","message":"no model"}}`, false},
		"a proxy's error":          {404, `{"error":{"code":"not_found","message":"no route"}}`, false},
		"a page":                   {404, `<html>lost</html>`, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readState(answer(tc.status, tc.body))
			if got.Gone != tc.gone || (err == nil) != tc.gone || tc.gone && got.Progress != -1 {
				t.Errorf("readState() = %+v, %v; want gone %v", got, err, tc.gone)
			}
		})
	}
}

func TestTimeThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"0", "-1", "9e18", `"soon"`, "null"} {
		got, err := readState(answer(200, `{"status":"failed","completed_at":`+at+`}`))
		if err != nil || !got.FinishedAt.IsZero() {
			t.Errorf("completed_at %s: %s, %v; want no time", at, got.FinishedAt, err)
		}
	}
}
