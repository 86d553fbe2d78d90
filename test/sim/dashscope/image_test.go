package dashscope

import (
	"bytes"
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	v27 = "wan2.7-image"
	pro = "wan2.7-image-pro"
	v26 = "wan2.6-t2i"
	v25 = "wan2.5-t2i-preview"
	v22 = "wan2.2-t2i-flash"
)

// said is a text item.
func said(text string) string { return fmt.Sprintf(`{"text":%q}`, text) }

// shown is an image item.
func shown(url string) string { return `{"image":"` + url + `"}` }

// dialogue is a body with the given items and parameters; none at all if "".
func dialogue(model, items, parameters string) string {
	if parameters != "" {
		parameters = `,"parameters":{` + parameters + `}`
	}
	return `{"model":"` + model + `","input":{"messages":[{"role":"user","content":[` + items + `]}]}` + parameters + `}`
}

func ask(model, prompt, parameters string) string { return dialogue(model, said(prompt), parameters) }

// synthesis is a body of the older form.
func synthesis(model, prompt, parameters string) string {
	return fmt.Sprintf(`{"model":%q,"input":{"prompt":%q},"parameters":{%s}}`, model, prompt, parameters)
}

// sizeOf opens a picture.
func sizeOf(t *testing.T, data string) string {
	t.Helper()
	c, format, err := image.DecodeConfig(bytes.NewReader([]byte(data)))
	if err != nil {
		t.Fatalf("the result does not open: %v", err)
	}
	return fmt.Sprintf("%s %dx%d", format, c.Width, c.Height)
}

func TestImages_fourAreMadeUnlessSaidOtherwise(t *testing.T) {
	b := start(t)
	got := b.images(ask(v27, "a cat", ""))
	if got.status != 200 || !got.get("output.finished").Bool() || got.get("output.choices.#").Int() != 4 || got.get("request_id").Str == "" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	urls := map[string]bool{}
	for _, c := range got.get("output.choices").Array() {
		item := c.Get("message.content.0")
		if c.Get("finish_reason").Str != "stop" || c.Get("message.role").Str != "assistant" || item.Get("type").Str != "image" {
			t.Errorf("choice %s", c.Raw)
		}
		urls[item.Get("image").Str] = true
	}
	for url := range urls {
		file := b.fetch(url)
		if file.header.Get("Content-Type") != "image/png" || sizeOf(t, file.body) != "png 1024x1024" {
			t.Errorf("file: %s %s", file.header.Get("Content-Type"), sizeOf(t, file.body))
		}
	}
	if diff := cmp.Diff(`{"image_count":4,"input_tokens":5,"output_tokens":4,"size":"2048*2048","total_tokens":9}`,
		got.get("usage").Raw); diff != "" || len(urls) != 4 {
		t.Errorf("%d files, usage (-want +got):\n%s", len(urls), diff)
	}
	if diff := cmp.Diff([]string{"image wan2.7-image 4"}, b.charged()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	want := []Order{{ID: got.get("request_id").Str, Kind: studio.Image, Model: v27, Prompt: "a cat", Images: 4, Width: 2048, Height: 2048}}
	if diff := cmp.Diff(want, b.sim.Orders()); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if id := b.sim.Charges()[0].ID; id != want[0].ID {
		t.Errorf("the charge's id is %s, the order's %s", id, want[0].ID)
	}
}

func TestImages_parametersAreUnderstood(t *testing.T) {
	const wide = "https://example.com/a.png"
	cases := map[string]struct {
		body string
		want Order
	}{
		"one with a watermark": {ask(v27, "x", `"n":1,"watermark":true,"size":"1024*768","seed":2147483647`),
			Order{Images: 1, Watermark: true, Width: 1024, Height: 768}},
		"1K":               {ask(v27, "x", `"n":1,"size":"1K"`), Order{Images: 1, Width: 1024, Height: 1024}},
		"4K of pro":        {ask(pro, "x", `"n":1,"size":"4K","thinking_mode":true`), Order{Images: 1, Width: 4096, Height: 4096}},
		"4096*4096 of pro": {ask(pro, "x", `"n":1,"size":"4096*4096"`), Order{Images: 1, Width: 4096, Height: 4096}},
		"a reference": {dialogue(v27, said("x")+","+shown(wide), `"n":2`),
			Order{Images: 2, Width: 2048, Height: 2048, References: 1}},
		"the shape of the last picture": {dialogue(v27, shown(wide)+","+said("x")+","+shown(picture("png", 640, 360)), `"n":1,"size":"1K"`),
			Order{Images: 1, Width: 1360, Height: 768, References: 2}},
		"a sequence makes twelve": {ask(v27, "x", `"enable_sequential":true`), Order{Images: 12, Width: 2048, Height: 2048}},
		"a sequence follows the prompt": {ask(v27, "x in 3 scenes", `"enable_sequential":true`),
			Order{Prompt: "x in 3 scenes", Images: 3, Width: 2048, Height: 2048}},
		"n bounds a sequence": {ask(v27, "x in 9 scenes", `"enable_sequential":true,"n":5`),
			Order{Prompt: "x in 9 scenes", Images: 5, Width: 2048, Height: 2048}},
		"long texts are cut": {ask(v27, strings.Repeat("好", 5001), `"n":1`),
			Order{Prompt: strings.Repeat("好", 5000), Images: 1, Width: 2048, Height: 2048}},
		"2.6 at once": {ask(v26, "x", `"negative_prompt":"y","prompt_extend":false`),
			Order{Images: 4, Negative: "y", Width: 1280, Height: 1280}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			if got := b.images(c.body); got.status != 200 || got.get("usage.image_count").Int() != int64(c.want.Images) ||
				got.get("usage.size").Str != fmt.Sprintf("%d*%d", c.want.Width, c.want.Height) {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			got := b.sim.Orders()[0]
			c.want.ID, c.want.Kind, c.want.Model = got.ID, studio.Image, got.Model
			if c.want.Prompt == "" {
				c.want.Prompt = "x"
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			if units := b.sim.Charges()[0].Units; units != int64(c.want.Images) {
				t.Errorf("billed %d images", units)
			}
		})
	}
}

func TestImages_alternateReadings(t *testing.T) {
	b := start(t)
	b.sim.Alternate = true
	got := b.images(ask(v27, "x", `"n":3`))
	if got.get("output.choices.#").Int() != 1 || got.get("output.choices.0.message.content.#").Int() != 3 {
		t.Errorf("want three images in one choice, got %s", got.body)
	}
	colours := threeColours("25.00%", "25.00%", "50.00%")
	if got := b.images(ask(v27, "x", `"enable_sequential":true,"n":1,`+colours)); got.status != 200 {
		t.Errorf("a palette in a sequence: %d %s", got.status, got.body)
	}
	expectRefusal(t, b.images(ask(v27, "x [[fail moderation]]", "")), 400, "data_inspection_failed", "")
}

func TestImageTasks_liveAndAreBilled(t *testing.T) {
	b := start(t)
	id := b.task(ImagesPath, ask(v27, "a cat", `"n":2,"size":"1K"`))
	const submitted = `"submit_time":"2027-01-15 16:00:00.000"`
	for _, want := range []string{`{` + submitted + `,"task_id":"` + id + `","task_status":"PENDING"}`,
		`{"scheduled_time":"2027-01-15 16:01:00.000",` + submitted + `,"task_id":"` + id + `","task_status":"RUNNING"}`} {
		if got := b.poll(id); got.status != 200 || got.get("output").Raw != want || got.get("usage").Exists() || b.charged() != nil {
			t.Errorf("got %d %s, want %s", got.status, got.body, want)
		}
		b.pass(step)
	}
	got := b.poll(id)
	if got.get("output.task_status").Str != "SUCCEEDED" || got.get("output.end_time").Str != "2027-01-15 16:02:00.000" ||
		!got.get("output.finished").Bool() || got.get("output.choices.#").Int() != 2 {
		t.Errorf("got %s", got.body)
	}
	if got.get("usage.image_count").Int() != 2 || got.get("usage.size").Str != "1024*1024" {
		t.Errorf("usage %s", got.get("usage").Raw)
	}
	if again := b.poll(id); again.get("output").Raw != got.get("output").Raw {
		t.Errorf("the second poll differs: %s", again.body)
	}
	if file := b.fetch(got.get("output.choices.1.message.content.0.image").Str); sizeOf(t, file.body) != "png 1024x1024" {
		t.Errorf("file: %s", sizeOf(t, file.body))
	}
	if diff := cmp.Diff([]string{"image wan2.7-image 2"}, b.charged()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	b.pass(24*time.Hour + time.Second)
	want := `{"task_id":"` + id + `","task_status":"UNKNOWN"}`
	if got := b.poll(id); got.status != 200 || got.get("output").Raw != want {
		t.Errorf("after a day: %d %s", got.status, got.body)
	}
}

func TestImageTasks_ofOlderModelsHaveAnotherForm(t *testing.T) {
	b := start(t)
	id := b.task(SynthesisPath, synthesis(v25, "a cat [[fail partial]]", `"size":"1280*720"`))
	b.pass(2 * step)
	got := b.poll(id)
	if got.get("output.task_status").Str != "SUCCEEDED" || got.get("output.task_metrics").Raw != `{"FAILED":1,"SUCCEEDED":3,"TOTAL":4}` ||
		got.get("usage").Raw != `{"image_count":3}` || got.get("output.choices").Exists() {
		t.Errorf("got %s", got.body)
	}
	results := got.get("output.results").Array()
	if len(results) != 4 || results[3].Get("code").Str != "DataInspectionFailed" || results[3].Get("url").Exists() {
		t.Fatalf("results %v", results)
	}
	if r := results[0]; sizeOf(t, b.fetch(r.Get("url").Str).body) != "png 1024x576" || r.Get("orig_prompt").Str == r.Get("actual_prompt").Str {
		t.Errorf("result %s", r.Raw)
	}
	if diff := cmp.Diff([]string{"image wan2.5-t2i-preview 3"}, b.charged()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	if o := b.sim.Orders()[0]; o.Images != 4 || !o.Extended || o.Watermark || o.Width != 1280 || o.Height != 720 {
		t.Errorf("order %+v", o)
	}
}

func TestCancel_worksOnlyWhileQueued(t *testing.T) {
	b := start(t)
	cancel := func(id string) reply { return b.send("POST", TasksPath+id+"/cancel", "", "Content-Type", "") }
	queued, running := b.task(ImagesPath, ask(v27, "x", "")), b.task(ImagesPath, ask(v27, "x", ""))
	if got := cancel(queued); got.status != 200 || got.get("request_id").Str == "" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	b.pass(step)
	for _, id := range []string{queued, running, "unknown"} {
		expectRefusal(t, cancel(id), 400, "UnsupportedOperation", "")
	}
	b.pass(step)
	if got := b.poll(queued); got.get("output.task_status").Str != "CANCELED" || got.get("output.choices").Exists() {
		t.Errorf("got %s", got.body)
	}
	if got := b.poll(running); got.get("output.task_status").Str != "SUCCEEDED" {
		t.Errorf("got %s", got.body)
	}
	if diff := cmp.Diff([]string{"image wan2.7-image 4"}, b.charged()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
}
