package arkmedia

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	s20  = "doubao-seedance-2-0-260128"
	fast = "dreamina-seedance-2-0-fast-260128"
	s25  = "doubao-seedance-2-5-260628"
	s15  = "seedance-1-5-pro-251215"
	s10  = "doubao-seedance-1-0-pro-250528"
)

// task is the body of a task with the given items and more members.
func task(model, items, more string) string {
	return `{"model":"` + model + `","content":[` + items + `]` + more + `}`
}

const (
	text  = `{"type":"text","text":"waves"}`
	clip  = `{"type":"video_url","video_url":{"url":"https://example.com/a.mp4"},"role":"reference_video"}`
	sound = `{"type":"audio_url","audio_url":{"url":"https://example.com/a.mp3"},"role":"reference_audio"}`
	draft = `{"type":"draft_task","draft_task":{"id":"cgt-1"}}`
)

// still is an image item; no role if it is "".
func still(role, url string) string {
	if role != "" {
		role = `,"role":"` + role + `"`
	}
	return `{"type":"image_url","image_url":{"url":"` + url + `"}` + role + `}`
}

func times(n int, item string) string { return strings.TrimPrefix(strings.Repeat(","+item, n), ",") }

func TestTasks_liveAndAreBilled(t *testing.T) {
	b := start(t)
	id := b.task(task(s20, text, `,"return_last_frame":true,"safety_identifier":"u1"`))
	for _, want := range []string{"queued", "running"} {
		got := b.poll(id)
		if got.status != 200 || got.get("status").Str != want || got.get("content").Raw != "{}" || got.get("error").Raw != "null" {
			t.Errorf("want %s, got %d %s", want, got.status, got.body)
		}
		if b.charged() != nil {
			t.Errorf("%s: charges = %v", want, b.charged())
		}
		b.pass(step)
	}
	got := b.poll(id)
	mp4, png := got.get("content.video_url").Str, got.get("content.last_frame_url").Str
	for address, kind := range map[string]string{mp4: "video/mp4", png: "image/png"} {
		if file := b.fetch(address); file.status != 200 || file.header.Get("Content-Type") != kind || file.body == "" {
			t.Errorf("file %s: %d %s", address, file.status, file.header.Get("Content-Type"))
		}
	}
	if diff := cmp.Diff(string(studio.MP4(5*time.Second)), b.fetch(mp4).body); diff != "" {
		t.Error("the video is not five seconds long")
	}
	want := `{"content":{"last_frame_url":"` + png + `","video_url":"` + mp4 + `"},"created_at":1800000000,"duration":5,"error":null,` +
		`"execution_expires_after":172800,"framespersecond":24,"generate_audio":true,"id":"` + id + `","model":"` + s20 + `",` +
		`"priority":0,"ratio":"16:9","resolution":"720p","safety_identifier":"u1","seed":-1,"service_tier":"default",` +
		`"status":"succeeded","updated_at":1800000120,"usage":{"completion_tokens":108900,"total_tokens":108900}}`
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"video " + s20 + " 5"}, b.charged()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	order := []Order{{ID: id, Kind: studio.Video, Model: s20, Prompt: "waves", Width: 1280, Height: 720, Format: "mp4",
		Seconds: 5, Resolution: "720p", Ratio: "16:9", Audio: true}}
	if diff := cmp.Diff(order, b.sim.Orders()); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}

func TestTasks_parametersAreUnderstood(t *testing.T) {
	cases := map[string]struct {
		body string
		want Order
	}{
		"all of it": {task(s20, text, `,"resolution":"1080p","ratio":"9:16","duration":15,"generate_audio":false,"watermark":true`),
			Order{Resolution: "1080p", Ratio: "9:16", Width: 1080, Height: 1920, Seconds: 15, Watermark: true}},
		"4k": {task(s20, text, `,"resolution":"4k","ratio":"1:1"`),
			Order{Resolution: "4k", Ratio: "1:1", Width: 2880, Height: 2880, Seconds: 5, Audio: true}},
		"480p": {task(fast, text, `,"resolution":"480p"`),
			Order{Resolution: "480p", Ratio: "16:9", Width: 864, Height: 496, Seconds: 5, Audio: true}},
		"the model chooses the length": {task(s20, text, `,"duration":-1`),
			Order{Resolution: "720p", Ratio: "16:9", Width: 1280, Height: 720, Seconds: ChosenSeconds, Audio: true}},
		"2.5 is longer and makes mov": {task(s25, text, `,"duration":30,"output_format":"mov"`),
			Order{Resolution: "720p", Ratio: "16:9", Width: 1280, Height: 720, Seconds: 30, Audio: true, Format: "mov"}},
		"1.0 counts frames": {task(s10, text, `,"frames":49`),
			Order{Resolution: "720p", Ratio: "16:9", Width: 1280, Height: 720, Seconds: 3, Audio: true}},
		"a first frame gives the ratio": {task(s20, text+","+still("", picture("png", 400, 400)), ""),
			Order{Resolution: "720p", Ratio: "1:1", Width: 960, Height: 960, Seconds: 5, Audio: true, References: 1}},
		"references are counted": {task(s20, text+","+still("reference_image", "asset://a1")+","+clip+","+sound, ""),
			Order{Resolution: "720p", Ratio: "16:9", Width: 1280, Height: 720, Seconds: 5, Audio: true, References: 3}},
		"flags in the text count": {task(s20, `{"type":"text","text":"waves --dur 15 --rs 480p --ratio 1:1 --wm true"}`, ""),
			Order{Resolution: "480p", Ratio: "1:1", Width: 640, Height: 640, Seconds: 15, Audio: true, Watermark: true}},
		"members win over flags": {task(s20, `{"type":"text","text":"waves --dur 15 --rs 480p"}`, `,"duration":4,"resolution":"720p"`),
			Order{Resolution: "720p", Ratio: "16:9", Width: 1280, Height: 720, Seconds: 4, Audio: true}},
		"bad flags are ignored": {task(fast, `{"type":"text","text":"waves --dur 99 --rs 4k --rt 5:4 --seed x --cf maybe"}`, ""),
			Order{Resolution: "720p", Ratio: "16:9", Width: 1280, Height: 720, Seconds: 5, Audio: true}},
		"unknown flags are text": {task(s20, `{"type":"text","text":"waves --style noir --dur 6"}`, ""),
			Order{Prompt: "waves --style noir", Resolution: "720p", Ratio: "16:9", Width: 1280, Height: 720, Seconds: 6, Audio: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			id := b.task(c.body)
			got := b.sim.Orders()[0]
			c.want.ID, c.want.Kind, c.want.Model = id, studio.Video, got.Model
			if c.want.Prompt == "" {
				c.want.Prompt = "waves"
			}
			if c.want.Format == "" {
				c.want.Format = "mp4"
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			b.pass(2 * step)
			if units := b.sim.Charges()[0].Units; units != int64(c.want.Seconds) {
				t.Errorf("billed %d seconds", units)
			}
		})
	}
}

func TestTasks_deletionGoesByState(t *testing.T) {
	remove := func(b *bench, id string) reply { return b.send(http.MethodDelete, TasksPath+"/"+id, "") }
	t.Run("queued is cancelled, and cannot be again", func(t *testing.T) {
		b := start(t)
		id := b.task(video("x"))
		if got := remove(b, id); got.status != 200 || got.body != "{}" {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		b.pass(3 * step)
		if got := b.poll(id).get("status").Str; got != "cancelled" {
			t.Errorf("status = %s", got)
		}
		expectRefusal(t, remove(b, id), 403, "OperationDenied.InvalidState", "")
		b.sim.Alternate = true
		if got := b.poll(id).get("status").Str; got != "canceled" {
			t.Errorf("status in the other reading = %s", got)
		}
		expectRefusal(t, remove(b, id), 403, "OperationDenied.InvalidState", "")
		b.pass(25 * time.Hour)
		expectRefusal(t, b.poll(id), 404, "ResourceNotFound", "id")
		if b.charged() != nil {
			t.Errorf("charges = %v", b.charged())
		}
	})
	t.Run("running is refused and goes on", func(t *testing.T) {
		b := start(t)
		id := b.task(video("x"))
		b.pass(step)
		expectRefusal(t, remove(b, id), 403, "OperationDenied.InvalidState", "")
		b.pass(step)
		if got := b.poll(id).get("status").Str; got != "succeeded" {
			t.Errorf("status = %s", got)
		}
	})
	for name, prompt := range map[string]string{"succeeded": "x", "failed": "x [[fail task_failed]]"} {
		t.Run(name+" is deleted, and stays billed as it was", func(t *testing.T) {
			b := start(t)
			id := b.task(video(prompt))
			b.pass(2 * step)
			before := b.charged()
			if got := remove(b, id); got.status != 200 {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			expectRefusal(t, b.poll(id), 404, "ResourceNotFound", "id")
			expectRefusal(t, remove(b, id), 404, "ResourceNotFound", "id")
			if diff := cmp.Diff(before, b.charged()); diff != "" {
				t.Errorf("charges (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("expired is deleted", func(t *testing.T) {
		b := start(t)
		id := b.task(task(s20, `{"type":"text","text":"[[fail task_stuck]]"}`, `,"execution_expires_after":3600`))
		b.pass(time.Hour + time.Second)
		if got := b.poll(id).get("status").Str; got != "expired" {
			t.Errorf("status = %s", got)
		}
		if got := remove(b, id); got.status != 200 {
			t.Errorf("got %d %s", got.status, got.body)
		}
		expectRefusal(t, b.poll(id), 404, "ResourceNotFound", "id")
	})
}

func TestTasks_areForgottenAfterAWeek(t *testing.T) {
	b := start(t)
	id := b.task(video("x"))
	b.pass(7 * 24 * time.Hour)
	if got := b.poll(id); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
	b.pass(time.Second)
	expectRefusal(t, b.poll(id), 404, "ResourceNotFound", "id")
	expectRefusal(t, b.poll("cgt-unknown"), 404, "ResourceNotFound", "id")
}

func TestList_filtersAndPages(t *testing.T) {
	b := start(t)
	old := b.task(video("x [[fail task_failed]]"))
	b.pass(2 * step)
	middle := b.task(task(fast, text, ""))
	b.pass(step)
	latest := b.task(task(s15, text, `,"service_tier":"flex"`))
	for query, want := range map[string][]string{
		"": {latest, middle, old}, "?filter.status=running": {middle}, "?filter.model=" + s20: {old},
		"?filter.service_tier=flex": {latest}, "?filter.task_ids=" + old + "&filter.task_ids=" + latest: {latest, old},
		"?page_size=2": {latest, middle}, "?page_num=2&page_size=2": {old}, "?page_num=9": nil,
	} {
		got := b.send(http.MethodGet, TasksPath+query, "")
		var ids []string
		for _, item := range got.get("items").Array() {
			ids = append(ids, item.Get("id").Str)
		}
		if diff := cmp.Diff(want, ids); diff != "" || !got.get("items").IsArray() {
			t.Errorf("%q: %d %s\n%s", query, got.status, got.body, diff)
		}
	}
	got := b.send(http.MethodGet, TasksPath+"?filter.status=failed&page_num=1", "")
	if got.get("total").Int() != 1 || got.get("items.0.failure_reason.code").Str != "InternalServiceError" ||
		got.get("items.0.error").Exists() {
		t.Errorf("got %s", got.body)
	}
	for query, param := range map[string]string{"?page_num=0": "page_num", "?page_size=501": "page_size", "?page_size=x": "page_size",
		"?filter.status=done": "filter.status", "?status=failed": "status", "?page_num=1&page_num=2": "page_num"} {
		expectRefusal(t, b.send(http.MethodGet, TasksPath+query, ""), 400, "InvalidParameter", param)
	}
}
