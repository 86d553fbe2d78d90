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

func TestLegacy_textToVideo(t *testing.T) {
	b := start(t)
	r := b.post("/v1/videos/text2video", `{"model_name":"kling-v3","prompt":"a lighthouse","negative_prompt":"fog","duration":"8",
		"mode":"pro","sound":"on","aspect_ratio":"1:1","external_task_id":"light-1",
		"watermark_info":{"enabled":true},"callback_url":"https://x.invalid/cb"}`)
	id := r.get("data.task_id")
	if r.status != http.StatusOK || r.get("data.task_status") != "submitted" || r.get("data.task_info.external_task_id") != "light-1" ||
		r.get("data.created_at") != "1790000000000" || id == "" || gjson.Get(r.body, "data.task_id").Type != gjson.String {
		t.Fatalf("submit = %d %s", r.status, r.body)
	}
	path := "/v1/videos/text2video/" + id
	b.clock.advance(time.Second)
	if r := b.get(path); r.get("data.task_status") != "processing" || gjson.Get(r.body, "data.task_result").Exists() {
		t.Errorf("later the task is %s", r.body)
	}
	b.clock.advance(time.Second)
	r = b.get(path)
	if r.get("data.task_status") != "succeed" || r.get("data.task_result.videos.0.duration") != "8" ||
		r.get("data.final_unit_deduction") != "9.600" || r.get("data.updated_at") != "1790000002000" {
		t.Errorf("in the end the task is %s", r.body)
	}
	b.wantVideo(r.get("data.task_result.videos.0.url"))
	b.wantVideo(r.get("data.task_result.videos.0.watermark_url"))
	want := []studio.Charge{{ID: id, Kind: studio.Video, Model: "kling-v3", Units: 8}}
	if diff := cmp.Diff(want, b.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	b.wantRefusal(b.get("/v1/videos/image2video/"+id), http.StatusNotFound, "1203", "does not exist")
	b.wantRefusal(b.get("/v1/videos/text2video/1"), http.StatusNotFound, "1203", "does not exist")
}

func TestLegacy_accepts(t *testing.T) {
	picture := b64(studio.JPEG(750, 300))
	for name, tc := range map[string]struct {
		kind, body string
		seconds    int64
	}{
		"a prompt and nothing else": {"text2video", `{"model_name":"kling-v3","prompt":"a"}`, 5},
		"4k":                        {"text2video", `{"model_name":"kling-v3","prompt":"a","mode":"4k","duration":"15","sound":"off"}`, 15},
		"a camera":                  {"text2video", `{"model_name":"kling-v3","prompt":"a","camera_control":{"type":"simple"}}`, 5},
		"shots by the model":        {"text2video", `{"model_name":"kling-v3","prompt":"a","multi_shot":true,"shot_type":"intelligence"}`, 5},
		"shots by prompts": {"text2video", `{"model_name":"kling-v3","multi_shot":true,"shot_type":"customize","duration":"6",
			"multi_prompt":[{"index":1,"prompt":"a","duration":"2"},{"index":2,"prompt":"b","duration":"4"}]}`, 6},
		"an image":     {"image2video", `{"model_name":"kling-v3","prompt":"a","image":"https://x.invalid/a.jpg"}`, 5},
		"two in bytes": {"image2video", `{"model_name":"kling-v3","prompt":"a","image":"` + picture + `","image_tail":"` + picture + `"}`, 5},
		"omni":         {"omni-video", `{"model_name":"kling-v3-omni","prompt":"a"}`, 5},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			id := b.submit("/v1/videos/"+tc.kind, tc.body)
			b.ends()
			r := b.get("/v1/videos/" + tc.kind + "/" + id)
			if r.get("data.task_status") != "succeed" || gjson.Get(r.body, "data.task_result.videos.0.watermark_url").Exists() {
				t.Errorf("poll = %s", r.body)
			}
			b.wantVideo(r.get("data.task_result.videos.0.url"))
			if got := b.sim.Charges(); len(got) != 1 || got[0].Units != tc.seconds {
				t.Errorf("charges = %v, want %d seconds", got, tc.seconds)
			}
		})
	}
}

func TestLegacy_refuses(t *testing.T) {
	with := func(more string) string { return `{"model_name":"kling-v3","prompt":"a"` + more + `}` }
	shots := func(more string) string {
		return `{"model_name":"kling-v3","multi_shot":true,"shot_type":"customize"` + more + `}`
	}
	one := `{"index":1,"prompt":"a","duration":"1"}`
	for name, tc := range map[string]struct{ kind, body, code, says string }{
		"broken JSON":                     {"text2video", `{`, "1200", "reading the body"},
		"no model":                        {"text2video", `{"prompt":"a"}`, "1201", "model_name"},
		"the new API's name of the model": {"text2video", `{"model":"kling-3.0","prompt":"a"}`, "1200", "unknown"},
		"no prompt":                       {"text2video", `{"model_name":"kling-v3"}`, "1201", "prompt"},
		"a long prompt":                   {"text2video", `{"model_name":"kling-v3","prompt":"` + long(2501) + `"}`, "1201", "2500"},
		"a long negative prompt":          {"text2video", with(`,"negative_prompt":"` + long(2501) + `"`), "1201", "negative_prompt"},
		"duration as a number":            {"text2video", with(`,"duration":5`), "1200", "duration"},
		"a fraction":                      {"text2video", with(`,"duration":"5.0"`), "1201", "duration"},
		"a leading zero":                  {"text2video", with(`,"duration":"05"`), "1201", "duration"},
		"too short":                       {"text2video", with(`,"duration":"2"`), "1201", "duration"},
		"too long":                        {"text2video", with(`,"duration":"16"`), "1201", "duration"},
		"a resolution":                    {"text2video", with(`,"resolution":"720p"`), "1200", "unknown"},
		"a mode it lacks":                 {"text2video", with(`,"mode":"720p"`), "1201", "mode"},
		"sound as a bool":                 {"text2video", with(`,"sound":true`), "1200", "sound"},
		"native sound":                    {"text2video", with(`,"sound":"native"`), "1201", "sound"},
		"a ratio it lacks":                {"text2video", with(`,"aspect_ratio":"21:9"`), "1201", "aspect_ratio"},
		"cfg_scale on version 3":          {"text2video", with(`,"cfg_scale":0.5`), "1201", "cfg_scale"},
		"a camera as a string":            {"text2video", with(`,"camera_control":"zoom"`), "1201", "camera_control"},
		"a seed":                          {"text2video", with(`,"seed":1`), "1200", "unknown"},
		"a callback that is no URL":       {"text2video", with(`,"callback_url":"x"`), "1201", "callback_url"},
		"an empty id":                     {"text2video", with(`,"external_task_id":""`), "1201", "external_task_id"},
		"null":                            {"text2video", with(`,"mode":null`), "1200", "null"},
		"an image for text":               {"text2video", with(`,"image":"https://x.invalid/a"`), "1201", "image"},
		"elements for text":               {"text2video", with(`,"element_list":[]`), "1201", "element_list"},
		"voices for text":                 {"omni-video", `{"model_name":"kling-v3-omni","prompt":"a","voice_list":[]}`, "1201", "voice_list"},
		"shots without the switch":        {"text2video", with(`,"shot_type":"customize"`), "1201", "need multi_shot"},
		"the switch without a kind":       {"text2video", with(`,"multi_shot":true`), "1201", "needs shot_type"},
		"an unknown kind of shots":        {"text2video", with(`,"multi_shot":true,"shot_type":"x"`), "1201", "shot_type"},
		"prompts of shots unasked": {"text2video", with(`,"multi_shot":true,"shot_type":"intelligence","multi_prompt":[` + one + `]`),
			"1201", "customize"},
		"a prompt beside shots":         {"text2video", shots(`,"prompt":"a","multi_prompt":[` + one + `]`), "1201", "replaced"},
		"no shots":                      {"text2video", shots(""), "1201", "1 to 6"},
		"seven shots":                   {"text2video", shots(`,"multi_prompt":[` + one + strings.Repeat(","+one, 6) + `]`), "1201", "1 to 6"},
		"shots that do not add up":      {"text2video", shots(`,"multi_prompt":[` + one + `]`), "1201", "add up"},
		"shots in disorder":             {"text2video", shots(`,"multi_prompt":[{"index":2,"prompt":"a","duration":"5"}]`), "1201", "index"},
		"a shot's duration as a number": {"text2video", shots(`,"multi_prompt":[{"index":1,"prompt":"a","duration":5}]`), "1200", "duration"},
		"a shot without a prompt":       {"text2video", shots(`,"multi_prompt":[{"index":1,"duration":"5"}]`), "1201", "prompt"},
		"no image":                      {"image2video", with(""), "1201", "image is required"},
		"a last image alone":            {"image2video", with(`,"image_tail":"https://x.invalid/a"`), "1201", "image is required"},
		"a last image that is none":     {"image2video", with(`,"image":"https://x.invalid/a","image_tail":"x"`), "1201", "image_tail"},
		"a data URI":                    {"image2video", with(`,"image":"data:image/png;base64,AAAA"`), "1201", "data:"},
		"a ratio beside an image":       {"image2video", with(`,"image":"https://x.invalid/a","aspect_ratio":"16:9"`), "1201", "aspect_ratio"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			b.wantRefusal(b.post("/v1/videos/"+tc.kind, tc.body), http.StatusBadRequest, tc.code, tc.says)
			b.wantBilled(0)
		})
	}
}

func TestLegacy_refusesModelsOfOtherKinds(t *testing.T) {
	b := start(t)
	for kind, model := range map[string]string{"text2video": "kling-v3-omni", "omni-video": "kling-v3", "image2video": "kling-3.0"} {
		r := b.post("/v1/videos/"+kind, `{"model_name":"`+model+`","prompt":"a"}`)
		b.wantRefusal(r, http.StatusNotFound, "1203", model)
	}
}
