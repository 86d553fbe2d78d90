package dashscope

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	t2v   = "wan2.7-t2v"
	i2v   = "wan2.7-i2v-2026-04-25"
	three = "wan3.0-video"
	oldT  = "wan2.5-t2v-preview"
	oldI  = "wan2.6-i2v"
)

// film is a body with more members of input, and parameters.
func film(model, prompt, input, parameters string) string {
	return fmt.Sprintf(`{"model":%q,"input":{"prompt":%q%s},"parameters":{%s}}`, model, prompt, input, parameters)
}

// media is input.media with the given types.
func media(kinds ...string) string {
	var items []string
	for _, kind := range kinds {
		items = append(items, `{"type":"`+kind+`","url":"https://example.com/a"}`)
	}
	return `,"media":[` + strings.Join(items, ",") + `]`
}

func TestVideos_liveAndAreBilled(t *testing.T) {
	b := start(t)
	id := b.task(VideosPath, film(t2v, "waves", "", ""))
	for _, want := range []string{"PENDING", "RUNNING"} {
		if got := b.poll(id); got.get("output.task_status").Str != want || got.get("output.video_url").Exists() || b.charged() != nil {
			t.Errorf("got %d %s", got.status, got.body)
		}
		b.pass(step)
	}
	got := b.poll(id)
	url := got.get("output.video_url").Str
	want := `{"actual_prompt":"waves, highly detailed","end_time":"2027-01-15 16:02:00.000","orig_prompt":"waves",` +
		`"scheduled_time":"2027-01-15 16:01:00.000","submit_time":"2027-01-15 16:00:00.000","task_id":"` + id + `",` +
		`"task_status":"SUCCEEDED","video_url":"` + url + `"}`
	if diff := cmp.Diff(want, got.get("output").Raw); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	want = `{"SR":1080,"audio":true,"duration":5,"fps":30,"input_video_duration":0,` +
		`"output_video_duration":5,"ratio":"16:9","size":"1920*1080","video_count":1}`
	if diff := cmp.Diff(want, got.get("usage").Raw); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
	if file := b.fetch(url); file.header.Get("Content-Type") != "video/mp4" || file.body != string(studio.MP4(5*time.Second)) {
		t.Errorf("file: %d %s, %d bytes", file.status, file.header.Get("Content-Type"), len(file.body))
	}
	if diff := cmp.Diff([]string{"video wan2.7-t2v 5"}, b.charged()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	b.sim.Alternate = true
	want = `{"SR":"1080","audio":true,"duration":5.0,"fps":30,"input_video_duration":0.0,` +
		`"output_video_duration":5.0,"ratio":"16:9","size":"1920*1080","video_count":1}`
	if diff := cmp.Diff(want, b.poll(id).get("usage").Raw); diff != "" {
		t.Errorf("usage in the other reading (-want +got):\n%s", diff)
	}
}

func TestVideos_parametersAreUnderstood(t *testing.T) {
	cases := map[string]struct {
		body string
		want Order
	}{
		"all of 2.7": {film(t2v, "x", `,"negative_prompt":"y","audio_url":"https://example.com/a.mp3"`,
			`"resolution":"720P","ratio":"3:4","duration":15,"prompt_extend":false,"watermark":true,"seed":1`),
			Order{Negative: "y", References: 1, Watermark: true, Width: 832, Height: 1104, Seconds: 15, Resolution: "720P", Ratio: "3:4",
				Audio: true}},
		"frames": {film(i2v, "x", media("first_frame", "last_frame", "driving_audio"), `"duration":2`),
			Order{References: 3, Extended: true, Width: 1920, Height: 1080, Seconds: 2, Resolution: "1080P", Ratio: "16:9", Audio: true}},
		"a clip without prompt": {`{"model":"wan2.7-i2v","input":{` + media("first_clip")[1:] + `}}`,
			Order{References: 1, Extended: true, Width: 1920, Height: 1080, Seconds: 5, Resolution: "1080P", Ratio: "16:9", Audio: true}},
		"3.0": {film(three, "x", "", `"duration":30,"resolution":"480P","ratio":"adaptive","audio":false`),
			Order{Width: 848, Height: 480, Seconds: 30, Resolution: "480P", Ratio: "16:9"}},
		"3.0 chooses the length": {film("wan3.0-video-prime", "x", media("reference_image", "reference_video", "reference_audio", "link"),
			`"duration":-1,"ratio":"1:1"`),
			Order{References: 4, Width: 1440, Height: 1440, Seconds: ChosenSeconds, Resolution: "1080P", Ratio: "1:1", Audio: true}},
		"the older size": {film(oldT, "x", "", `"size":"720*1280","duration":10,"shot_type":"multi","audio":false`),
			Order{Extended: true, Width: 720, Height: 1280, Seconds: 10, Resolution: "720P", Ratio: "9:16"}},
		"the older first frame": {film(oldI, "x", `,"img_url":"`+picture("png", 300, 300)+`"`, `"resolution":"720P"`),
			Order{References: 1, Extended: true, Width: 1280, Height: 720, Seconds: 5, Resolution: "720P", Ratio: "16:9", Audio: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			id := b.task(VideosPath, c.body)
			got := b.sim.Orders()[0]
			c.want.ID, c.want.Kind, c.want.Model, c.want.Prompt = id, studio.Video, got.Model, got.Prompt
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			b.pass(2 * step)
			if units := b.sim.Charges()[0].Units; units != int64(c.want.Seconds) || b.poll(id).get("usage.duration").Int() != units {
				t.Errorf("billed %d seconds", units)
			}
		})
	}
}

func TestVideos_mediaAsDataInTheOtherReading(t *testing.T) {
	body := film(i2v, "x", strings.Replace(media("first_frame"), "https://example.com/a", picture("png", 300, 300), 1), "")
	b := start(t)
	expectRefusal(t, b.submit(VideosPath, body), 400, "InvalidURL", "input.media[0].url")
	b.sim.Alternate = true
	b.task(VideosPath, body)
}

func TestVideos_refusals(t *testing.T) {
	const bad = "InvalidParameter"
	expectRefusals(t, VideosPath, map[string]refusal{
		"no JSON":                   {`[`, bad, "body"},
		"no model":                  {`{"input":{"prompt":"x"}}`, "BadRequest.EmptyModel", ""},
		"an unknown model":          {film("wan-2.7", "x", "", ""), bad, "model"},
		"an image model":            {film(v27, "x", "", ""), bad, "url"},
		"no input":                  {`{"model":"wan2.7-t2v","parameters":{}}`, "BadRequest.EmptyInput", ""},
		"no prompt":                 {`{"model":"wan2.7-t2v","input":{"negative_prompt":"x"}}`, bad, "input.prompt"},
		"an empty prompt":           {film(t2v, "", "", ""), bad, "input.prompt"},
		"a long negative prompt":    {film(t2v, "x", `,"negative_prompt":"`+strings.Repeat("y", 501)+`"`, ""), bad, "input.negative_prompt"},
		"a negative prompt at 3.0":  {film(three, "x", `,"negative_prompt":"y"`, ""), bad, "input.negative_prompt"},
		"an audio file":             {film(t2v, "x", `,"audio_url":"a.mp3"`, ""), "InvalidURL", "input.audio_url"},
		"media at t2v":              {film(t2v, "x", media("first_frame"), ""), bad, "input.media"},
		"img_url at 2.7":            {film(i2v, "x", `,"img_url":"https://example.com/a"`, ""), bad, "input.img_url"},
		"no media at i2v":           {film(i2v, "x", "", ""), bad, "input.media"},
		"a sound alone":             {film(i2v, "x", media("driving_audio"), ""), bad, "input.media"},
		"a last frame alone":        {film(i2v, "x", media("last_frame"), ""), bad, "input.media"},
		"a last frame after a clip": {film(i2v, "x", media("first_clip", "last_frame"), ""), bad, "input.media"},
		"a frame and a clip":        {film(i2v, "x", media("first_frame", "first_clip"), ""), bad, "input.media"},
		"two first frames":          {film(i2v, "x", media("first_frame", "first_frame"), ""), bad, "input.media[1].type"},
		"a reference at i2v":        {film(i2v, "x", media("first_frame", "reference_image"), ""), bad, "input.media[1].type"},
		"media without type":        {film(i2v, "x", `,"media":[{"url":"https://example.com/a"}]`, ""), bad, "input.media[0].type"},
		"media without url":         {film(i2v, "x", `,"media":[{"type":"first_frame"}]`, ""), bad, "input.media[0].url"},
		"media from nowhere": {film(i2v, "x", `,"media":[{"type":"first_frame","url":"ftp://example.com/a"}]`, ""), "InvalidURL",
			"input.media[0].url"},
		"eleven references": {film(three, "x", media(strings.Fields(strings.Repeat("reference_image ", 11))...), ""), bad,
			"input.media[10].type"},
		"six clips": {film(three, "x", media(strings.Fields(strings.Repeat("reference_video ", 6))...), ""), bad,
			"input.media[5].type"},
		"a frame and a reference":   {film(three, "x", media("first_frame", "reference_image"), ""), bad, "input.media"},
		"a file and a link":         {film(three, "x", media("file", "link"), ""), bad, "input.media"},
		"a last frame alone at 3.0": {film(three, "x", media("last_frame"), ""), bad, "input.media"},
		"no img_url at 2.6":         {film(oldI, "x", "", ""), bad, "input.img_url"},
		"a broken img_url": {film(oldI, "x", `,"img_url":"data:image/png;base64,AAAA"`, ""), "InvalidParameter.DataInspection",
			"input.img_url"},
		"720p":                          {film(t2v, "x", "", `"resolution":"720p"`), bad, "parameters.resolution"},
		"480P at 2.7":                   {film(t2v, "x", "", `"resolution":"480P"`), bad, "parameters.resolution"},
		"21:9":                          {film(t2v, "x", "", `"ratio":"21:9"`), bad, "parameters.ratio"},
		"adaptive at 2.7":               {film(t2v, "x", "", `"ratio":"adaptive"`), bad, "parameters.ratio"},
		"size at 2.7":                   {film(t2v, "x", "", `"size":"1280*720"`), bad, "parameters.size"},
		"audio at 2.7":                  {film(t2v, "x", "", `"audio":true`), bad, "parameters.audio"},
		"prompt_extend at 3.0":          {film(three, "x", "", `"prompt_extend":true`), bad, "parameters.prompt_extend"},
		"n":                             {film(t2v, "x", "", `"n":1`), bad, "parameters.n"},
		"one second":                    {film(t2v, "x", "", `"duration":1`), bad, "parameters.duration"},
		"16 seconds":                    {film(t2v, "x", "", `"duration":16`), bad, "parameters.duration"},
		"-1 at 2.7":                     {film(t2v, "x", "", `"duration":-1`), bad, "parameters.duration"},
		"31 seconds at 3.0":             {film(three, "x", "", `"duration":31`), bad, "parameters.duration"},
		"seven seconds at 2.5":          {film(oldT, "x", "", `"duration":7`), bad, "parameters.duration"},
		"a duration as text":            {film(t2v, "x", "", `"duration":"5"`), bad, "parameters.duration"},
		"a watermark as number":         {film(t2v, "x", "", `"watermark":0`), bad, "parameters.watermark"},
		"a seed of -1":                  {film(t2v, "x", "", `"seed":-1`), bad, "parameters.seed"},
		"an unknown size":               {film(oldT, "x", "", `"size":"100*100"`), bad, "parameters.size"},
		"a resolution at the older t2v": {film(oldT, "x", "", `"resolution":"720P"`), bad, "parameters.resolution"},
		"a size at the older i2v":       {film(oldI, "x", `,"img_url":"https://example.com/a"`, `"size":"1280*720"`), bad, "parameters.size"},
		"an unknown shot type":          {film(oldT, "x", "", `"shot_type":"triple"`), bad, "parameters.shot_type"},
	})
}
