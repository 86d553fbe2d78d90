package feature_test

import (
	"bytes"
	"encoding/base64"
	"image"
	_ "image/jpeg" // the vendors' formats
	_ "image/png"
	"net/http"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// imageAnswer is OpenAI's images response.
type imageAnswer struct {
	Created int64 `json:"created"`
	Data    []struct {
		URL  string `json:"url"`
		B64  string `json:"b64_json"`
		Size string `json:"size"`
	} `json:"data"`
	Errors []struct {
		Index   int    `json:"index"`
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
}

// newImages starts a gateway that serves one image model of a vendor.
func newImages(t *testing.T, v sim.Vendor, upstream string, opts ...option) *env {
	t.Helper()
	e := newEnv(t, opts...)
	e.route("picture", upstream, strings.ToLower(string(v))).Spec.Modality = v1alpha1.ModalityImage
	e.key(shop, "web", testKey, nil)
	e.apply()
	return e
}

// seedream is the model that images of Ark are made with.
const seedream = "doubao-seedream-4-5-251128"

func TestImages_URLAndBytesOpen(t *testing.T) {
	e := newImages(t, sim.Ark, seedream)
	for _, format := range []string{"url", "b64_json"} {
		var got imageAnswer
		e.post("/v1/images/generations", map[string]any{"model": "picture", "prompt": "a cat", "size": "1024x1024", "n": 2, "response_format": format}).
			expect(http.StatusOK).decode(&got)
		if len(got.Data) != 2 || got.Created == 0 {
			t.Fatalf("%s: got %+v", format, got)
		}
		for _, d := range got.Data {
			data, err := base64.StdEncoding.DecodeString(d.B64)
			if err != nil {
				t.Fatal(err)
			}
			if format == "url" {
				data = fetch(t, d.URL)
			}
			if _, _, err := image.DecodeConfig(bytes.NewReader(data)); err != nil {
				t.Errorf("%s does not open: %v", format, err)
			}
		}
	}
	if n := len(e.vendors.Media(sim.Ark).Charges()); n != 4 {
		t.Errorf("the vendor bills %d images, want 4", n)
	}
}

func TestImages_ABillIsNeverRiskedTwice(t *testing.T) {
	for _, mode := range []studio.Mode{studio.Lost, studio.HTML, studio.Malformed, studio.Empty} {
		e := newImages(t, sim.Ark, seedream)
		answer := e.post("/v1/images/generations", map[string]any{"model": "picture", "prompt": "a cat [[fail " + string(mode) + "]]"})
		if answer.status < 500 || answer.header.Get("X-Should-Retry") != "false" {
			t.Errorf("%s: status %d, x-should-retry %q", mode, answer.status, answer.header.Get("X-Should-Retry"))
		}
		if n := len(e.vendors.Media(sim.Ark).Ledger()); n != 1 {
			t.Errorf("%s: the vendor was called %d times", mode, n)
		}
	}
}

func TestImages_WhatSomeCallsCouldNotMakeIsSaid(t *testing.T) {
	e := newImages(t, sim.Ark, seedream)
	e.vendors.Media(sim.Ark).FailNext(1, studio.ServerError)
	var got imageAnswer
	e.post("/v1/images/generations", map[string]any{"model": "picture", "prompt": "a cat", "n": 3}).expect(http.StatusOK).decode(&got)
	if len(got.Data) != 2 || len(got.Errors) != 1 || got.Errors[0].Code == "" || got.Errors[0].Message == "" {
		t.Fatalf("got %+v", got)
	}
	if line := e.request(1); line["images"] != 2.0 {
		t.Errorf("logged %v", line)
	}
}

func TestImages_RefusalsComeBeforeAnyCall(t *testing.T) {
	e := newImages(t, sim.Ark, seedream)
	for name, tc := range map[string]struct {
		body  map[string]any
		param string
		want  string
	}{
		"no prompt":         {map[string]any{}, "prompt", "prompt"},
		"a bad size":        {map[string]any{"prompt": "x", "size": "big"}, "size", "WIDTHxHEIGHT"},
		"an extreme ratio":  {map[string]any{"prompt": "x", "size": "8192x256"}, "size", "16"},
		"too many":          {map[string]any{"prompt": "x", "n": 11}, "n", "between 1 and 10"},
		"a typing error":    {map[string]any{"prompt": "x", "sise": "1024x1024"}, "sise", "Unknown parameter"},
		"a wrong type":      {map[string]any{"prompt": 5}, "prompt", "string"},
		"a bad reference":   {map[string]any{"prompt": "x", "image": "file:///etc/passwd"}, "image", "URL"},
		"what is not there": {map[string]any{"prompt": "x", "negative_prompt": "y"}, "negative_prompt", "negative prompt"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.body["model"] = "picture"
			answer := e.post("/v1/images/generations", tc.body).expect(http.StatusBadRequest)
			if got := answer.error(); got.Param != tc.param || !strings.Contains(got.Message, tc.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
	if n := len(e.vendors.Media(sim.Ark).Ledger()); n != 0 {
		t.Errorf("the vendor was called %d times", n)
	}
	const attempts = "vipcloud_upstream_attempts_total"
	for line := range strings.Lines(e.metrics()) {
		if strings.HasPrefix(line, attempts+"{") && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
			t.Errorf("what no vendor saw counts as a call: %s", line)
		}
	}
	e.post("/v1/images/generations", map[string]any{"model": "picture", "prompt": "x"}).expect(http.StatusOK)
	e.wantMetric(attempts + `{gen_ai_request_model="picture",outcome="ok",target="vipcloud-system/picture/t0"} 1`)
}

func TestImages_ModelsAreServedWhereTheyBelong(t *testing.T) {
	e := newImages(t, sim.Ark, seedream)
	got := e.post("/v1/chat/completions", map[string]any{"model": "picture", "messages": []any{map[string]any{"role": "user", "content": "x"}}}).
		expect(http.StatusBadRequest).error()
	if got.Code != "wrong_endpoint" || !strings.Contains(got.Message, "/v1/images/generations") {
		t.Errorf("got %+v", got)
	}
}

func TestImages_EventsOfAStream(t *testing.T) {
	e := newImages(t, sim.Ark, seedream)
	answer := e.post("/v1/images/generations", map[string]any{"model": "picture", "prompt": "a cat", "stream": true}).expect(http.StatusOK)
	text := string(answer.body)
	if !strings.HasPrefix(text, "event: image_generation.completed\ndata: {") || !strings.Contains(text, `"output_format":"jpeg"`) || !strings.HasSuffix(text, "}\n\n") {
		t.Errorf("got %.200s", text)
	}
}
