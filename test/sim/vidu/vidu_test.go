package vidu

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestTextToVideo(t *testing.T) {
	b := start(t)
	r := b.post("/ent/v2/text2video", `{"model":"viduq3-pro","prompt":"a kite","duration":9,"resolution":"1080p","aspect_ratio":"3:4",
		"audio":false,"seed":11,"style":"anime","movement_amplitude":"small","bgm":true,"is_rec":false,"off_peak":true,
		"watermark":true,"wm_position":4,"wm_url":"https://x.invalid/mark.png","payload":"order 7",
		"meta_data":"{\"Label\":\"x\"}","callback_url":"https://x.invalid/cb"}`)
	id := r.get("task_id")
	want := map[string]any{
		"task_id": id, "state": "created", "model": "viduq3-pro", "prompt": "a kite", "duration": 9.0, "seed": 11.0, "aspect_ratio": "3:4",
		"resolution": "1080p", "movement_amplitude": "small", "payload": "order 7", "credits": 54.0, "off_peak": true,
		"created_at": "2026-09-21T14:13:20.000000Z",
	}
	if diff := cmp.Diff(want, gjson.Parse(r.body).Value()); r.status != http.StatusOK || diff != "" {
		t.Fatalf("submit = %d (-want +got):\n%s", r.status, diff)
	}
	for _, state := range []string{"queueing", "processing"} {
		if r := b.poll(id); r.get("state") != state || r.get("err_code") != "" || r.get("creations.#") != "0" {
			t.Errorf("poll = %d %s, want %s", r.status, r.body, state)
		}
		b.clock.advance(time.Second)
	}
	r = b.poll(id)
	if r.get("state") != "success" || r.get("payload") != "order 7" || r.get("creations.#") != "1" || r.get("bgm") != "true" {
		t.Errorf("in the end the task is %s", r.body)
	}
	b.wantVideo(r.get("creations.0.url"))
	b.wantVideo(r.get("creations.0.watermarked_url"))
	if cover := b.file(r.get("creations.0.cover_url")); !strings.HasPrefix(cover.body, "\xff\xd8\xff") {
		t.Errorf("the cover is no jpeg: %d", cover.status)
	}
	if again := b.poll(id); again.get("creations.0.url") != r.get("creations.0.url") {
		t.Errorf("a second poll has another file: %s", again.body)
	}
	charges := []studio.Charge{{ID: id, Kind: studio.Video, Model: "viduq3-pro", Units: 9}}
	if diff := cmp.Diff(charges, b.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
}

func TestSubmit_accepts(t *testing.T) {
	png, jpeg := uri("png", studio.PNG(400, 100)), uri("jpg", studio.JPEG(100, 100))
	for name, tc := range map[string]struct {
		call, body string
		seconds    int64
	}{
		"a prompt and nothing else": {"text2video", `{"model":"viduq3-turbo","prompt":"a"}`, 5},
		"one second":                {"text2video", `{"model":"viduq3-pro","prompt":"a","duration":1,"audio":true}`, 1},
		"a seed of 0":               {"text2video", `{"model":"viduq3-pro","prompt":"a","duration":16,"seed":0}`, 16},
		"an image":                  {"img2video", `{"model":"viduq3-pro-fast","prompt":"a","images":["https://x.invalid/a.webp"]}`, 5},
		"an image alone":            {"img2video", `{"model":"viduq3-pro","images":["` + png + `"]}`, 5},
		"two images":                {"start-end2video", `{"model":"viduq3-turbo","prompt":"a","images":["` + png + `","` + jpeg + `"]}`, 5},
		"a webp":                    {"img2video", `{"model":"viduq3-pro","images":["` + uri("webp", []byte("RIFF0000WEBPVP8 ")) + `"]}`, 5},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			id := b.submit(tc.call, tc.body)
			b.ends()
			r := b.poll(id)
			if r.get("state") != "success" || r.get("creations.0.watermarked_url") != "" {
				t.Errorf("poll = %s", r.body)
			}
			b.wantVideo(r.get("creations.0.url"))
			if got := b.sim.Charges(); len(got) != 1 || got[0].Units != tc.seconds {
				t.Errorf("charges = %v, want %d seconds", got, tc.seconds)
			}
		})
	}
}

func TestSubmit_fillsInTheSeed(t *testing.T) {
	b := start(t)
	for _, seed := range []string{"", `,"seed":0`} {
		if r := b.post("/ent/v2/text2video", `{"model":"viduq3-pro","prompt":"a"`+seed+`}`); gjson.Get(r.body, "seed").Int() <= 0 {
			t.Errorf("seed = %s", r.body)
		}
	}
}

func TestSubmit_refuses(t *testing.T) {
	text := func(more string) string { return `{"model":"viduq3-pro","prompt":"a"` + more + `}` }
	pictures := func(list string) string { return text(`,"images":[` + list + `]`) }
	const any1 = `"https://x.invalid/a"`
	flat := uri("png", studio.PNG(401, 100))
	for name, tc := range map[string]struct{ call, body, reason, says string }{
		"broken JSON":                      {"text2video", `{"model"`, "BadRequest", "JSON"},
		"two documents":                    {"text2video", text("") + "{}", "BadRequest", "JSON"},
		"no object":                        {"text2video", `"a"`, "FieldInvalid", "reading"},
		"more than 20 MB":                  {"text2video", text(`,"payload":"` + strings.Repeat("x", 20<<20) + `"`), "BadRequest", "20 MB"},
		"a member twice":                   {"text2video", text(`,"model":"viduq3-pro"`), "FieldInvalid", "duplicate"},
		"a member in another case":         {"text2video", `{"Model":"viduq3-pro","prompt":"a"}`, "FieldUnwanted", "Model"},
		"a member of others":               {"text2video", text(`,"negative_prompt":"b"`), "FieldUnwanted", "negative_prompt"},
		"null":                             {"text2video", text(`,"seed":null`), "FieldInvalid", "null"},
		"no model":                         {"text2video", `{"prompt":"a"}`, "FieldLacking", "model"},
		"no prompt":                        {"text2video", `{"model":"viduq3-pro"}`, "FieldLacking", "prompt"},
		"an empty prompt":                  {"text2video", `{"model":"viduq3-pro","prompt":""}`, "FieldLacking", "prompt"},
		"a long prompt":                    {"text2video", `{"model":"viduq3-pro","prompt":"` + long(5001) + `"}`, "FieldInvalid", "5000"},
		"an older model":                   {"text2video", `{"model":"viduq2","prompt":"a"}`, "ModelUnavailable", "viduq2"},
		"the fast model for text":          {"text2video", `{"model":"viduq3-pro-fast","prompt":"a"}`, "ModelUnavailable", "fast"},
		"the fast model for two":           {"start-end2video", `{"model":"viduq3-pro-fast"}`, "ModelUnavailable", "fast"},
		"duration as a string":             {"text2video", text(`,"duration":"5"`), "FieldInvalid", "duration"},
		"a fraction":                       {"text2video", text(`,"duration":5.5`), "FieldInvalid", "duration"},
		"too short":                        {"text2video", text(`,"duration":0`), "FieldInvalid", "between 1 and 16"},
		"too long":                         {"text2video", text(`,"duration":17`), "FieldInvalid", "between 1 and 16"},
		"a resolution it lacks":            {"text2video", text(`,"resolution":"480p"`), "FieldInvalid", "resolution"},
		"a resolution in capitals":         {"text2video", text(`,"resolution":"720P"`), "FieldInvalid", "resolution"},
		"a ratio it lacks":                 {"text2video", text(`,"aspect_ratio":"21:9"`), "FieldInvalid", "aspect_ratio"},
		"a ratio beside an image":          {"img2video", text(`,"aspect_ratio":"16:9","images":[` + any1 + `]`), "FieldUnwanted", "ratio"},
		"audio as a word":                  {"text2video", text(`,"audio":"on"`), "FieldInvalid", "audio"},
		"audio_type":                       {"text2video", text(`,"audio_type":"all"`), "FieldUnwanted", "audio_type"},
		"a negative seed":                  {"text2video", text(`,"seed":-1`), "FieldInvalid", "seed"},
		"a seed of 32 bits":                {"text2video", text(`,"seed":2147483648`), "FieldInvalid", "seed"},
		"a style it lacks":                 {"text2video", text(`,"style":"oil"`), "FieldInvalid", "style"},
		"an amplitude it lacks":            {"text2video", text(`,"movement_amplitude":"huge"`), "FieldInvalid", "movement_amplitude"},
		"a mark in no corner":              {"text2video", text(`,"watermark":true,"wm_position":5`), "FieldInvalid", "wm_position"},
		"a mark's place without a mark":    {"text2video", text(`,"wm_position":1`), "FieldUnwanted", "wm_position"},
		"a mark's address without a mark":  {"text2video", text(`,"watermark":false,"wm_url":` + any1), "FieldUnwanted", "wm_url"},
		"a mark that is no URL":            {"text2video", text(`,"watermark":true,"wm_url":"x"`), "FieldInvalid", "wm_url"},
		"a long payload":                   {"text2video", text(`,"payload":"` + long(1_048_577) + `"`), "FieldInvalid", "payload"},
		"metadata as an object":            {"text2video", text(`,"meta_data":{}`), "FieldInvalid", "meta_data"},
		"metadata that is no JSON":         {"text2video", text(`,"meta_data":"{"`), "FieldInvalid", "meta_data"},
		"a callback that is no URL":        {"text2video", text(`,"callback_url":"x"`), "FieldInvalid", "callback_url"},
		"images for text":                  {"text2video", pictures(any1), "FieldUnwanted", "images"},
		"no images":                        {"img2video", text(""), "FieldLacking", "images"},
		"an empty list":                    {"img2video", pictures(""), "FieldItemCountOutOfRange", "1 items"},
		"two for one":                      {"img2video", pictures(any1 + "," + any1), "FieldItemCountOutOfRange", "1 items"},
		"one for two":                      {"start-end2video", pictures(any1), "FieldItemCountOutOfRange", "2 items"},
		"a string for the list":            {"img2video", text(`,"images":` + any1), "FieldInvalid", "images"},
		"raw base64":                       {"img2video", pictures(`"iVBORw0KGgo="`), "FieldInvalid", "data URI"},
		"a data URI that is no base64":     {"img2video", pictures(`"data:image/png;base64,%"`), "FieldInvalid", "base64"},
		"a data URI of text":               {"img2video", pictures(`"data:text/plain;base64,AAAA"`), "FieldInvalid", "data URI"},
		"an image that is none":            {"img2video", pictures(`"data:image/png;base64,AAAA"`), "ImageFormatInvalid", "png"},
		"a webp that is none":              {"img2video", pictures(`"data:image/webp;base64,AAAA"`), "ImageFormatInvalid", "webp"},
		"an image of another kind":         {"img2video", pictures(`"` + uri("jpeg", studio.PNG(9, 9)) + `"`), "ImageFormatInvalid", "jpeg"},
		"a gif":                            {"img2video", pictures(`"` + uri("gif", gifPicture(t)) + `"`), "ImageFormatInvalid", "gif"},
		"a gif that claims to be a png":    {"img2video", pictures(`"` + uri("png", gifPicture(t)) + `"`), "ImageFormatInvalid", "png"},
		"a flat image":                     {"start-end2video", pictures(any1 + `,"` + flat + `"`), "FieldInvalid", "images[1]"},
		"the fields of references, unmade": {"img2video", text(`,"subjects":[]`), "FieldUnwanted", "subjects"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			b.wantRefusal(b.post("/ent/v2/"+tc.call, tc.body), http.StatusBadRequest, tc.reason, tc.says)
			b.wantBilled(0)
		})
	}
}

func TestDispatch_credentialsMethodsAndPaths(t *testing.T) {
	b := start(t)
	const path, body = "/ent/v2/text2video", `{"model":"viduq3-pro","prompt":"a"}`
	key := b.sim.Key()
	for _, value := range []string{"", "Bearer " + key, key, "Token vda_other", "token " + key, "Token  " + key} {
		b.wantRefusal(b.send(http.MethodPost, path, body, "Authorization", value), http.StatusUnauthorized, "Unauthorized", "Token")
		r := b.send(http.MethodGet, "/ent/v2/tasks/1/creations", "", "Authorization", value)
		b.wantRefusal(r, http.StatusUnauthorized, "Unauthorized", "")
	}
	for _, request := range []string{
		"GET /ent/v2/text2video", "PUT /ent/v2/img2video", "POST /ent/v2/tasks/1/creations", "GET /ent/v2/tasks/1/cancel", "GET /ent/v2/tasks/1",
		"POST /ent/v2/reference2video", "POST /ent/v2/text2video/", "POST /v2/text2video", "GET /ent/v2/tasks/1/creations/2", "GET /ent/v2/",
	} {
		method, path, _ := strings.Cut(request, " ")
		b.wantRefusal(b.send(method, path, body), http.StatusNotFound, "NotFound", "no such address")
	}
	b.wantRefusal(b.send(http.MethodPost, path, body, "Content-Type", ""), http.StatusBadRequest, "BadRequest", "content type")
	b.wantRefusal(b.poll("1"), http.StatusNotFound, "TaskNotFound", "not exist")
	b.wantRefusal(b.poll(""), http.StatusNotFound, "TaskNotFound", "not exist")
	b.wantBilled(0)
	for path, want := range map[string]bool{"/ent/v2/text2video": true, "/files/1.mp4": true, "/ent/v1/x": false, "/v1/videos/x": false} {
		if got := Handles(path); got != want {
			t.Errorf("Handles(%s) = %v", path, got)
		}
	}
}

func TestCancel(t *testing.T) {
	b := start(t)
	const body = `{"model":"viduq3-pro","prompt":"a"}`
	id := b.submit("text2video", body)
	b.wantRefusal(b.cancel(id, ``), http.StatusBadRequest, "BadRequest", "content type")
	b.wantRefusal(b.cancel(id, `{}`), http.StatusBadRequest, "FieldLacking", "id")
	b.wantRefusal(b.cancel(id, `{"id":"1"}`), http.StatusBadRequest, "FieldInvalid", "id")
	b.wantRefusal(b.cancel("1", `{"id":"1"}`), http.StatusNotFound, "TaskNotFound", "not exist")
	b.sim.FailNext(1, studio.ServerError)
	b.wantRefusal(b.cancel(id, `{"id":"`+id+`"}`), http.StatusInternalServerError, "InternalServiceFailure", "")
	if r := b.poll(id); r.get("state") != "queueing" {
		t.Errorf("a refused cancel has an effect: %s", r.body)
	}
	if r := b.cancel(id, `{"id":"`+id+`"}`); r.status != http.StatusOK || r.body != "{}" {
		t.Errorf("cancel = %d %s", r.status, r.body)
	}
	if r := b.poll(id); r.get("state") != "failed" || r.get("err_code") != "UserCancelled" {
		t.Errorf("a cancelled task is %s", r.body)
	}
	running := b.submit("text2video", body)
	b.clock.advance(time.Second)
	b.wantRefusal(b.cancel(running, `{"id":"`+running+`"}`), http.StatusBadRequest, "BadRequest", "scheduled")
	b.wantBilled(1)
}
