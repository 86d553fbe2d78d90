package kling

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestCurrent_textToVideo(t *testing.T) {
	b := start(t)
	id := b.submit("/text-to-video/kling-3.0", `{"prompt":"a paper boat in the rain","settings":{"duration":7,"resolution":"1080p",
		"aspect_ratio":"9:16","audio":"native","multi_shot":false},"options":{"external_task_id":"boat-1","watermark_info":{"enabled":true}}}`)
	poll := func() gjson.Result {
		t.Helper()
		r := b.get("/tasks?task_ids=" + id)
		if r.status != http.StatusOK || !gjson.Get(r.body, "data").IsArray() || r.get("data.#") != "1" || r.get("request_id") == "" {
			t.Fatalf("poll = %d %s", r.status, r.body)
		}
		return gjson.Get(r.body, "data.0")
	}
	if task := poll(); task.Get("status").Str != "submitted" || task.Get("id").Str != id || task.Get("external_id").Str != "boat-1" ||
		task.Get("outputs").Exists() || task.Get("update_time").Int() != 1_790_000_000_000 {
		t.Errorf("at once the task is %s", task)
	}
	b.clock.advance(time.Second)
	if task := poll(); task.Get("status").Str != "processing" || task.Get("update_time").Int() != 1_790_000_001_000 {
		t.Errorf("later the task is %s", task)
	}
	if got := b.sim.Charges(); len(got) != 0 {
		t.Errorf("an unfinished task is billed: %v", got)
	}
	b.clock.advance(time.Second)
	task := poll()
	out := task.Get("outputs.0")
	if task.Get("status").Str != "succeeded" || task.Get("outputs.#").Int() != 1 || out.Get("type").Str != "video" ||
		out.Get("duration").Str != "7" || task.Get("billing.0.amount").Str != "1.176" {
		t.Errorf("in the end the task is %s", task)
	}
	b.wantVideo(out.Get("url").Str)
	b.wantVideo(out.Get("watermark_url").Str)
	if again := poll().Get("outputs.0.url").Str; again != out.Get("url").Str {
		t.Errorf("a second poll has another file %s", again)
	}
	want := []studio.Charge{{ID: id, Kind: studio.Video, Model: "kling-3.0", Units: 7}}
	if diff := cmp.Diff(want, b.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
}

func TestCurrent_accepts(t *testing.T) {
	picture := b64(studio.PNG(400, 300))
	prompt, frame := `{"type":"prompt","text":"waves"}`, `{"type":"first_frame","url":"https://x.invalid/a.png"}`
	for name, tc := range map[string]struct {
		path, body string
		seconds    int64
	}{
		"a prompt and nothing else": {"/text-to-video/kling-3.0", `{"prompt":"waves"}`, 5},
		"4k":                        {"/text-to-video/kling-3.0", `{"prompt":"waves","settings":{"resolution":"4k","duration":3}}`, 3},
		"a callback":                {"/text-to-video/kling-3.0", `{"prompt":"waves","options":{"callback_url":"https://x.invalid/cb"}}`, 5},
		"turbo": {"/text-to-video/kling-3.0-turbo",
			`{"prompt":"waves","settings":{"resolution":"1080p","duration":15,"aspect_ratio":"1:1"}}`, 15},
		"a first frame": {"/image-to-video/kling-3.0", `{"contents":[` + prompt + `,` + frame + `],"settings":{"audio":"off"}}`, 5},
		"two frames in base64": {"/image-to-video/kling-3.0", `{"contents":[` + prompt + `,{"type":"first_frame","url":"` + picture + `"},
			{"type":"last_frame","url":"` + b64(studio.JPEG(300, 750)) + `"}],"settings":{"duration":4}}`, 4},
		"an element": {"/image-to-video/kling-3.0",
			`{"contents":[` + prompt + `,` + frame + `,{"type":"element","element_id":"e1","id":"boy"}]}`, 5},
		"turbo from a frame": {"/image-to-video/kling-3.0-turbo", `{"contents":[` + frame + `,` + prompt + `]}`, 5},
		"references":         {"/omni-video/kling-3.0-omni", `{"contents":[` + prompt + `,{"type":"refer_image","url":"` + picture + `"}]}`, 5},
		"a video with its own sound": {"/omni-video/kling-3.0-omni",
			`{"contents":[` + prompt + `,{"type":"base_video","url":"https://x.invalid/a.mp4"}],"settings":{"audio":"original"}}`, 5},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			id := b.submit(tc.path, tc.body)
			b.ends()
			r := b.get("/tasks?task_ids=" + id)
			if r.get("data.0.status") != "succeeded" {
				t.Errorf("poll = %s", r.body)
			}
			b.wantVideo(r.get("data.0.outputs.0.url"))
			if r.get("data.0.outputs.0.watermark_url") != "" {
				t.Errorf("a mark that nobody wanted: %s", r.body)
			}
			if got := b.sim.Charges(); len(got) != 1 || got[0].Units != tc.seconds {
				t.Errorf("charges = %v, want %d seconds", got, tc.seconds)
			}
		})
	}
}

func TestCurrent_refuses(t *testing.T) {
	const textPath, imagePath, omniPath = "/text-to-video/kling-3.0", "/image-to-video/kling-3.0", "/omni-video/kling-3.0-omni"
	set := func(settings string) string { return `{"prompt":"waves","settings":{` + settings + `}}` }
	opt := func(options string) string { return `{"prompt":"waves","options":{` + options + `}}` }
	with := func(contents string) string { return `{"contents":[{"type":"prompt","text":"waves"}` + contents + `]}` }
	setFor := func(contents, settings string) string {
		return `{"contents":[{"type":"prompt","text":"waves"}` + contents + `],"settings":{` + settings + `}}`
	}
	frame := func(data string) string { return with(`,{"type":"first_frame","url":"` + data + `"}`) }
	const first, last = `,{"type":"first_frame","url":"https://x.invalid/a"}`, `,{"type":"last_frame","url":"https://x.invalid/a"}`
	refers := `,{"type":"refer_image","url":"https://x.invalid/a"}`
	for name, tc := range map[string]struct{ path, body, code, says string }{
		"broken JSON":                    {textPath, `{"prompt":`, "1200", "reading the body"},
		"no object":                      {textPath, `["waves"]`, "1200", "reading the body"},
		"two documents":                  {textPath, `{"prompt":"a"}{}`, "1200", "reading the body"},
		"a member twice":                 {textPath, `{"prompt":"a","prompt":"b"}`, "1200", "duplicate"},
		"a member in another case":       {textPath, `{"Prompt":"a"}`, "1200", "unknown"},
		"the model in the body":          {textPath, `{"prompt":"a","model":"kling-3.0"}`, "1200", "unknown"},
		"duration beside settings":       {textPath, `{"prompt":"a","duration":5}`, "1200", "unknown"},
		"a negative prompt":              {textPath, `{"prompt":"a","negative_prompt":"b"}`, "1200", "unknown"},
		"a seed":                         {textPath, set(`"seed":7`), "1200", "unknown"},
		"null":                           {textPath, `{"prompt":"a","settings":{"duration":null}}`, "1200", "null"},
		"no prompt":                      {textPath, `{"settings":{"duration":5}}`, "1201", "prompt"},
		"an empty prompt":                {textPath, `{"prompt":""}`, "1201", "prompt"},
		"a prompt of another type":       {textPath, `{"prompt":7}`, "1200", "prompt"},
		"a long prompt":                  {textPath, `{"prompt":"` + long(3073) + `"}`, "1201", "3072"},
		"contents for text":              {textPath, `{"prompt":"a","contents":[]}`, "1201", "contents"},
		"duration as a string":           {textPath, set(`"duration":"5"`), "1200", "duration"},
		"duration as a fraction":         {textPath, set(`"duration":5.5`), "1200", "duration"},
		"too short":                      {textPath, set(`"duration":2`), "1201", "between 3 and 15"},
		"too long":                       {textPath, set(`"duration":16`), "1201", "between 3 and 15"},
		"a resolution in capitals":       {textPath, set(`"resolution":"720P"`), "1201", "resolution"},
		"a mode of the legacy API":       {textPath, set(`"mode":"std"`), "1200", "unknown"},
		"a ratio it lacks":               {textPath, set(`"aspect_ratio":"4:3"`), "1201", "aspect_ratio"},
		"audio as a bool":                {textPath, set(`"audio":true`), "1200", "audio"},
		"audio on":                       {textPath, set(`"audio":"on"`), "1201", "audio"},
		"original audio without a video": {textPath, set(`"audio":"original"`), "1201", "audio"},
		"multi_shot as a string":         {textPath, set(`"multi_shot":"true"`), "1200", "multi_shot"},
		"a callback that is no URL":      {textPath, opt(`"callback_url":"here"`), "1201", "callback_url"},
		"an empty id":                    {textPath, opt(`"external_task_id":""`), "1201", "external_task_id"},
		"an id as a number":              {textPath, opt(`"external_task_id":7`), "1200", "external_task_id"},
		"a watermark as a bool":          {textPath, opt(`"watermark_info":true`), "1200", "watermark_info"},
		"turbo with audio":               {textPath + "-turbo", set(`"audio":"off"`), "1201", "turbo"},
		"turbo with shots":               {textPath + "-turbo", set(`"multi_shot":false`), "1201", "turbo"},
		"turbo in 4k":                    {textPath + "-turbo", set(`"resolution":"4k"`), "1201", "resolution"},
		"a prompt for images":            {imagePath, `{"prompt":"a"}`, "1201", "one of the contents"},
		"no contents":                    {imagePath, `{}`, "1201", "one prompt"},
		"contents without a prompt":      {imagePath, `{"contents":[` + first[1:] + `]}`, "1201", "one prompt"},
		"two prompts":                    {imagePath, with(`,{"type":"prompt","text":"b"}` + first), "1201", "one prompt"},
		"a long prompt among contents":   {imagePath, `{"contents":[{"type":"prompt","text":"` + long(3073) + `"}]}`, "1201", "3072"},
		"no first frame":                 {imagePath, with(""), "1201", "first_frame"},
		"a last frame alone":             {imagePath, with(last), "1201", "last_frame needs first_frame"},
		"two first frames":               {imagePath, with(first + first), "1201", "twice"},
		"an unknown type":                {imagePath, with(`,{"type":"image","url":"https://x.invalid/a"}`), "1201", "type"},
		"a reference outside omni":       {imagePath, with(first + refers), "1201", "type"},
		"a frame with text":              {imagePath, with(`,{"type":"first_frame","text":"a"}`), "1201", "members"},
		"a frame with more":              {imagePath, with(`,{"type":"first_frame","url":"","id":"b"}`), "1201", "members"},
		"an element without id":          {imagePath, with(first + `,{"type":"element","element_id":"b"}`), "1201", "members"},
		"a data URI":                     {imagePath, frame("data:image/png;base64," + b64(studio.PNG(400, 400))), "1201", "data:"},
		"an image that is none":          {imagePath, frame(b64([]byte("no image at all"))), "1201", "neither a jpg nor a png"},
		"a gif":                          {imagePath, frame(b64(gifPicture(t))), "1201", "neither a jpg nor a png"},
		"an image by another scheme":     {imagePath, frame("ftp://x.invalid/a.png"), "1201", "neither a URL nor base64"},
		"a small image":                  {imagePath, frame(b64(studio.PNG(299, 400))), "1201", "300"},
		"a flat image":                   {imagePath, frame(b64(studio.PNG(751, 300))), "1201", "1:2.5"},
		"a ratio beside a frame":         {imagePath, setFor(first, `"aspect_ratio":"16:9"`), "1201", "aspect_ratio"},
		"omni with a prompt alone":       {omniPath, with(""), "1201", "references"},
		"omni with eight references":     {omniPath, with(strings.Repeat(refers, 8)), "1201", "references"},
		"omni with a video in base64":    {omniPath, with(`,{"type":"base_video","url":"AAAA"}`), "1201", "url"},
		"omni's audio without a video":   {omniPath, setFor(refers, `"audio":"original"`), "1201", "video"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			b.wantRefusal(b.post(tc.path, tc.body), http.StatusBadRequest, tc.code, tc.says)
			b.wantBilled(0)
		})
	}
}

func TestPicture_ofMoreThan50MB(t *testing.T) {
	if p := checkPicture("image", make([]byte, maxPicture+1)); p == nil || p.code != 1201 || !strings.Contains(p.message, "50 MB") {
		t.Errorf("checkPicture = %+v", p)
	}
}

func TestCurrent_polls(t *testing.T) {
	b := start(t)
	body := func(id string) string { return `{"prompt":"a","options":{"external_task_id":"` + id + `"}}` }
	one, two := b.submit("/text-to-video/kling-3.0", body("one")), b.submit("/text-to-video/kling-3.0", body("two"))
	old := b.submit("/v1/videos/text2video", `{"model_name":"kling-v3","prompt":"a"}`)
	for query, want := range map[string]string{
		"task_ids=" + two + "," + one:     `["` + two + `","` + one + `"]`,
		"external_task_ids=one":           `["` + one + `"]`,
		"task_ids=" + one + ",1":          `["` + one + `"]`,
		"external_task_ids=three":         `[]`,
		"task_ids=" + old:                 `[]`,
		"task_ids=" + one + "%2C" + two:   `["` + one + `","` + two + `"]`,
		"external_task_ids=two,one,three": `["` + two + `","` + one + `"]`,
	} {
		if r := b.get("/tasks?" + query); r.status != http.StatusOK || r.get("data.#.id") != want {
			t.Errorf("%s = %d %s, want %s", query, r.status, r.body, want)
		}
	}
	for query, says := range map[string]string{
		"": "required", "task_ids=": "comma", "task_ids=1,,2": "comma", "task_ids=1&task_ids=2": "required", "ids=1": "required",
		"task_ids=1&external_task_ids=one": "required", "task_ids=1&limit=2": "nothing else", "task_ids=1;2": "required",
	} {
		b.wantRefusal(b.get("/tasks?"+query), http.StatusBadRequest, "1201", says)
	}
	b.sim.RefuseUnknownTasks(true)
	b.wantRefusal(b.get("/tasks?task_ids="+one+",1"), http.StatusNotFound, "1203", "does not exist")
}
