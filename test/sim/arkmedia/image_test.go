package arkmedia

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	v45 = "doubao-seedream-4-5-251128"
	v40 = "seedream-4-0-250828"
	v50 = "doubao-seedream-5-0-260128"
	pro = "dola-seedream-5-0-pro-260628"
	v30 = "doubao-seedream-3-0-t2i-250415"
	ed  = "doubao-seededit-3-0-i2i-250628"
)

// ask is an image body with more members.
func ask(model, prompt, more string) string {
	return fmt.Sprintf(`{"model":%q,"prompt":%q%s}`, model, prompt, more)
}

// sizeOf opens a picture.
func sizeOf(t *testing.T, data []byte) string {
	t.Helper()
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("the result does not open: %v", err)
	}
	return fmt.Sprintf("%s %dx%d", format, c.Width, c.Height)
}

func TestImages_defaultsBite(t *testing.T) {
	b := start(t)
	got := b.images(ask(v45, "a cat", ""))
	if got.status != 200 || got.get("model").Str != v45 || got.get("created").Int() != 1_800_000_000 || got.get("data.#").Int() != 1 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if got.get("data.0.size").Str != "2048x2048" || got.get("data.0.b64_json").Exists() || got.get("error").Exists() {
		t.Errorf("data = %s", got.get("data").Raw)
	}
	if diff := cmp.Diff(`{"generated_images":1,"output_tokens":16384,"total_tokens":16384}`, got.get("usage").Raw); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
	file := b.fetch(got.get("data.0.url").Str)
	if file.header.Get("Content-Type") != "image/jpeg" || sizeOf(t, []byte(file.body)) != "jpeg 1024x1024" {
		t.Errorf("file: %s %s", file.header.Get("Content-Type"), sizeOf(t, []byte(file.body)))
	}
	if diff := cmp.Diff([]string{"image " + v45 + " 1"}, b.charged()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	want := []Order{{ID: b.sim.Charges()[0].ID, Kind: studio.Image, Model: v45, Prompt: "a cat", Watermark: true, Images: 1,
		Width: 2048, Height: 2048, Format: "jpeg"}}
	if diff := cmp.Diff(want, b.sim.Orders()); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}

func TestImages_formsOfAnswers(t *testing.T) {
	cases := map[string]struct {
		body        string
		size, usage string
		file        string // of b64_json
		watermark   bool
	}{
		"without watermark": {ask(v45, "x", `,"watermark":false,"size":"2560x1440","response_format":"b64_json"`), "2560x1440",
			`{"generated_images":1,"output_tokens":14400,"total_tokens":14400}`, "jpeg 1024x576", false},
		"5.0 makes png": {ask(v50, "x", `,"output_format":"png","response_format":"b64_json"`), "2048x2048",
			`{"generated_images":1,"output_tokens":16384,"total_tokens":16384}`, "png 1024x1024", true},
		"3.0 tells no size and no tokens": {ask(v30, "x", `,"response_format":"b64_json"`), "", `{"generated_images":1}`, "jpeg 1024x1024", true},
		"references are counted": {ask(v45, "x", `,"image":["https://example.com/a.png"],"response_format":"b64_json"`), "2048x2048",
			`{"generated_images":1,"input_images":1,"output_tokens":16384,"total_tokens":16384}`, "jpeg 1024x1024", true},
		"seededit keeps the picture's shape": {ask(ed, "x", `,"size":"adaptive","image":"`+picture("png", 600,
			300)+`","response_format":"b64_json"`),
			"", `{"generated_images":1,"input_images":1}`, "jpeg 600x300", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			got := b.images(c.body)
			data, err := base64.StdEncoding.DecodeString(got.get("data.0.b64_json").Str)
			if got.status != 200 || err != nil || got.get("data.0.url").Exists() {
				t.Fatalf("got %d %s: %v", got.status, got.body, err)
			}
			if got.get("data.0.size").Str != c.size || got.get("usage").Raw != c.usage || sizeOf(t, data) != c.file {
				t.Errorf("size %s, usage %s, file %s", got.get("data.0.size"), got.get("usage").Raw, sizeOf(t, data))
			}
			if o := b.sim.Orders()[0]; o.Watermark != c.watermark {
				t.Errorf("watermark = %v", o.Watermark)
			}
		})
	}
}

func TestImages_keywordSizesFollowThePrompt(t *testing.T) {
	for body, want := range map[string]string{
		ask(v45, "a cat", `,"size":"2K"`):              "2048x2048",
		ask(v45, "a cat, 16:9", `,"size":"2K"`):        "2560x1440",
		ask(v45, "a cat, 9:16", `,"size":"4K"`):        "3040x5404",
		ask(v40, "a cat in 21:9", `,"size":"1K"`):      "1024x1024",
		ask(v50, "a cat", `,"size":"3K"`):              "3072x3072",
		ask(v45, "a cat, 16:9", `,"size":"1920x1920"`): "1920x1920",
	} {
		if got := start(t).images(body); got.get("data.0.size").Str != want {
			t.Errorf("%s made %s, want %s", body, got.body, want)
		}
	}
}

func TestImages_setsAreAsLargeAsTheModelLikes(t *testing.T) {
	const auto = `,"sequential_image_generation":"auto"`
	two := `,"image":["https://example.com/a.png","https://example.com/b.png"]`
	for body, want := range map[string]int{
		ask(v45, "a story", auto):             15,
		ask(v45, "a story in 3 images", auto): 3,
		ask(v45, "a story", auto+two):         13,
		ask(v45, "a story in 9 images", auto+`,"sequential_image_generation_options":{"max_images":4}`): 4,
		ask(v45, "a story in 3 images", ""): 1,
	} {
		b := start(t)
		got := b.images(body)
		if n := got.get("usage.generated_images").Int(); n != int64(want) || got.get("data.#").Int() != n {
			t.Errorf("%s made %d, want %d", body, n, want)
		}
		if diff := cmp.Diff([]string{fmt.Sprint("image ", v45, " ", want)}, b.charged()); diff != "" {
			t.Errorf("charges (-want +got):\n%s", diff)
		}
	}
}

func TestImages_streamHasAnEventPerImage(t *testing.T) {
	b := start(t)
	got := b.images(ask(v45, "2 cats", `,"stream":true,"sequential_image_generation":"auto","size":"2048x2048"`))
	if got.status != 200 || got.header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	events := strings.Split(strings.TrimSuffix(got.body, "\n\n"), "\n\n")
	var kinds []string
	for _, e := range events {
		kind, data, _ := strings.Cut(e, "\ndata: ")
		kinds = append(kinds, kind)
		if r := (reply{body: data}); strings.HasSuffix(kind, "partial_succeeded") {
			if "event: "+r.get("type").Str != kind || r.get("image_index").Int() != int64(len(kinds)-1) || r.get("model").Str != v45 ||
				r.get("size").Str != "2048x2048" || b.fetch(r.get("url").Str).status != 200 {
				t.Errorf("event %s", e)
			}
		} else if strings.HasSuffix(kind, "completed") && r.get("usage.generated_images").Int() != 2 {
			t.Errorf("event %s", e)
		}
	}
	want := []string{"event: image_generation.partial_succeeded", "event: image_generation.partial_succeeded",
		"event: image_generation.completed", "data: [DONE]"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
