package tokenhubmedia

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestSimulator_makesAnImage(t *testing.T) {
	b := start(t)
	id := b.task(submit, "a lake", `,"resolution":"1280:720","negative_prompt":"fog","logo_add":0,"images":["https://example.com/a.png"]`)
	for _, want := range []string{"pending", "in_progress"} {
		got := b.image(id)
		if got.at("status").Str != want || got.at("data").Exists() || got.at("completed_at").Exists() || got.at("error").Exists() {
			t.Fatalf("answer = %+v, want %s", got, want)
		}
		b.advance(step)
	}
	got := b.image(id)
	if got.at("status").Str != "completed" || got.at("object").Str != "image" || got.at("usage.credits").Num != 0.2 ||
		got.at("created_at").Int() != 1_800_000_000 || got.at("completed_at").Int() != 1_800_000_020 || got.at("usage.duration").Int() != 20 {
		t.Errorf("answer = %+v", got)
	}
	if revised := got.at("data.0.revised_prompt").Str; !strings.HasPrefix(revised, "a lake,") {
		t.Errorf("revised prompt = %q", revised)
	}
	address := got.at("data.0.url").Str
	if again := b.image(id).at("data.0.url").Str; again != address || len(got.at("data").Array()) != 1 {
		t.Errorf("the address became %s from %s", again, address)
	}
	status, data := b.download(address)
	if status != http.StatusOK || look(t, data) != [2]int{1280, 720} {
		t.Errorf("downloaded %d: %v", status, look(t, data))
	}
	want := []studio.Charge{{ID: id, Kind: studio.Image, Model: "hy-image-v3.0", Units: 1}}
	if diff := cmp.Diff(want, b.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	b.advance(time.Hour)
	if status, _ = b.download(b.image(id).at("data.0.url").Str); status != http.StatusForbidden {
		t.Errorf("after an hour: %d", status)
	}
}

func TestSimulator_defaultsBite(t *testing.T) {
	b := start(t)
	for path, want := range map[string]Job{
		submit:     {Prompt: "a", Width: 1024, Height: 1024, Logo: true, Revise: true},
		clipSubmit: {Prompt: "a", Logo: true},
	} {
		task, _ := b.sim.Task(b.task(path, "a", ""))
		if diff := cmp.Diff(&want, task.Data, cmp.AllowUnexported(Job{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	task, _ := b.sim.Task(b.task(clipSubmit, "a", `,"logo_add":0,"image":{"url":"https://example.com/a.png"}`))
	if job := task.Data.(*Job); job.Logo || job.References != 1 {
		t.Errorf("job = %+v", job)
	}
}

func TestSimulator_makesAVideo(t *testing.T) {
	b := start(t)
	id := b.task(clipSubmit, "a cat", `,"resolution":"1080p"`)
	for _, want := range []struct {
		status   string
		progress int64
	}{{"queued", 0}, {"in_progress", 50}, {"completed", 100}} {
		got := b.clip(id)
		if got.at("status").Str != want.status || got.at("progress").Int() != want.progress || got.at("object").Str != "video" {
			t.Fatalf("answer = %+v, want %+v", got, want)
		}
		b.advance(step)
	}
	got := b.clip(id)
	status, data := b.download(got.at("data.url").Str)
	if status != http.StatusOK || !bytes.Equal(data, studio.MP4(5*time.Second)) ||
		!got.at("data").IsObject() || got.at("usage.credits").Num != 1.5 {
		t.Errorf("downloaded %d, %d bytes, from %+v", status, len(data), got)
	}
	want := []studio.Charge{{ID: id, Kind: studio.Video, Model: "hy-video-1.5", Units: 5}}
	if diff := cmp.Diff(want, b.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
}

func TestSimulator_makesImagesAtOnce(t *testing.T) {
	b := start(t)
	for _, tc := range []struct {
		path, more string
		size       [2]int
		credits    float64
		revised    bool
	}{
		{lite, "", [2]int{1024, 1024}, 0.099, false},
		{wand, "", [2]int{1024, 1024}, 0.2, true},
		{wand, `,"size":"512x2048","seed":4294967295,"revise":0,"images":["https://example.com/a.png"]`, [2]int{512, 2048}, 0.2, false},
		{wand, `,"revise":true`, [2]int{1024, 1024}, 0.2, true},
		{wand, `,"revise":false`, [2]int{1024, 1024}, 0.2, false},
	} {
		got := b.ask(tc.path, body(tc.path, "a", tc.more))
		status, data := b.download(got.at("data.0.url").Str)
		if status != http.StatusOK || look(t, data) != tc.size || got.at("usage.credits").Num != tc.credits || got.at("request_id").Str == "" {
			t.Errorf("%s%s: %+v", tc.path, tc.more, got)
		}
		if got.at("data.0.revised_prompt").Exists() != tc.revised {
			t.Errorf("%s%s: %+v", tc.path, tc.more, got)
		}
		b.advance(time.Hour)
		if status, _ = b.download(got.at("data.0.url").Str); status != http.StatusForbidden {
			t.Errorf("after an hour: %d", status)
		}
	}
	charges := b.sim.Charges()
	if len(charges) != 5 || charges[0].Model != "hy-image-lite" || charges[1].Model != "hy-image-v3" || charges[1].Units != 1 {
		t.Errorf("charges = %+v", charges)
	}
}

func TestSimulator_livesBelowAPrefix(t *testing.T) {
	b := start(t)
	server := httptest.NewServer(http.StripPrefix("/tokenhub", b.sim))
	t.Cleanup(server.Close)
	b.url = server.URL + "/tokenhub"
	address := b.ask(lite, body(lite, "a", "")).at("data.0.url").Str
	if status, _ := b.download(address); status != http.StatusOK || !strings.HasPrefix(address, b.url+"/files/") {
		t.Errorf("downloaded %d from %s", status, address)
	}
}

func TestHandles(t *testing.T) {
	for path, want := range map[string]bool{
		submit: true, query: true, lite: true, wand: true, clipSubmit: true, clipQuery: true, "/files/1.png": true,
		"/v1/chat/completions": false, "/v1/models": false, "/": false, "/v1/api/3d/submit": false,
	} {
		if got := Handles(path); got != want {
			t.Errorf("Handles(%q) = %t", path, got)
		}
	}
}
