package feature_test

import (
	"bytes"
	"image"
	"net/http"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
)

func TestImages_EveryVendorGivesAddressesAndBytes(t *testing.T) {
	for vendor, model := range map[sim.Vendor]string{
		sim.Ark: seedream, sim.Qwen: "wan2.7-image", sim.TokenHub: "hy-image-v3.0", sim.Tencent: "hunyuan-image-3",
	} {
		t.Run(string(vendor), func(t *testing.T) {
			e := newImages(t, vendor, model)
			var url, bytesOf imageAnswer
			e.post("/v1/images/generations", map[string]any{"model": "picture", "prompt": "a cat", "size": "1024x1024"}).expect(http.StatusOK).decode(&url)
			e.post("/v1/images/generations", map[string]any{"model": "picture", "prompt": "a cat", "response_format": "b64_json"}).
				expect(http.StatusOK).decode(&bytesOf)
			if len(url.Data) != 1 || len(bytesOf.Data) != 1 || bytesOf.Data[0].B64 == "" {
				t.Fatalf("got %d and %d images", len(url.Data), len(bytesOf.Data))
			}
			if _, _, err := image.DecodeConfig(bytes.NewReader(fetch(t, url.Data[0].URL))); err != nil {
				t.Errorf("the image does not open: %v", err)
			}
			if n := len(e.vendors.Media(vendor).Charges()); n != 2 {
				t.Errorf("the vendor bills %d images, want 2", n)
			}
		})
	}
}

func TestVideos_EveryVendorMakesAFile(t *testing.T) {
	for vendor, model := range map[sim.Vendor]string{
		sim.Ark: seedance, sim.MiniMax: "MiniMax-Hailuo-02", sim.Kling: "kling-3.0", sim.Vidu: "viduq3-pro", sim.TokenHub: "hy-video-1.5",
		sim.Tencent: "hunyuan-video", sim.Qwen: "wan2.7-t2v",
	} {
		t.Run(string(vendor), func(t *testing.T) {
			e := newVideos(t, vendor, model)
			j := e.wait(e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "a cat surfing"}))
			if j.Status != "completed" || j.Result == nil || !strings.Contains(string(fetch(t, j.Result.URL)[:32]), "ftyp") {
				t.Fatalf("got %+v", j)
			}
			charges, billed := e.charges(), e.vendors.Media(vendor).Charges()
			if len(charges) != 1 || len(billed) != 1 || charges[0]["seconds"] != float64(billed[0].Units) {
				t.Errorf("charged %v, the vendor bills %v", charges, billed)
			}
		})
	}
}

func TestSpeech_EveryVendorSpeaks(t *testing.T) {
	for vendor, tc := range map[sim.Vendor]struct{ model, voice, format string }{
		sim.MiniMax: {"speech-02-hd", "warm-female-en", "mp3"}, sim.Zhipu: {"glm-tts", "tongtong", "wav"},
		sim.DoubaoSpeech: {"seed-tts-2.0", "zh_female_vv_uranus_bigtts", "mp3"},
	} {
		t.Run(string(vendor), func(t *testing.T) {
			e := newSpeech(t, vendor, tc.model)
			body := say("Welcome to vipcloud.", "response_format", tc.format)
			body["voice"] = tc.voice
			if answer := e.post("/v1/audio/speech", body).expect(http.StatusOK); len(answer.body) < 1000 {
				t.Errorf("%d bytes of %s", len(answer.body), answer.header.Get("Content-Type"))
			}
		})
	}
}

func TestMusic_ASongAndWhatCouldNotBeHonoured(t *testing.T) {
	e := newEnv(t)
	r := e.route("mureka-o1", "mureka-o1", "mureka")
	r.Spec.Modality = v1alpha1.ModalityMusic
	price := v1alpha1.Decimal("0.15")
	r.Spec.Pricing = &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{PerSong: &price}}
	e.key(shop, "web", testKey, nil)
	e.apply()
	j := e.wait(e.submit("/v1/music/generations", map[string]any{
		"model": "mureka-o1", "prompt": "upbeat synthwave with female vocals", "lyrics": "on the edge of the cloud...", "duration": 90,
	}))
	if j.Status != "completed" || j.Object != "music" || len(j.Result.URLs) != 1 || len(j.Warnings) == 0 || !strings.Contains(j.Warnings[0], "duration") {
		t.Fatalf("got %+v", j)
	}
	if data := fetch(t, j.Result.URL); data[0] != 0xff {
		t.Errorf("the song begins with %x", data[:4])
	}
	if charges := e.charges(); len(charges) != 1 || charges[0]["cost"] != "0.15" || charges[0]["songs"] != 1.0 {
		t.Errorf("charged %v", charges)
	}
	e.take(e.do(http.MethodDelete, j.PollURL, "")).expect(http.StatusMethodNotAllowed)
}
