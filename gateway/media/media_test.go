package media_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/media"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// object parses a body.
func object(t *testing.T, body string) *openai.Object {
	t.Helper()
	o, err := openai.ParseObject([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return o
}

func TestParseImage_reads(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want media.Image
	}{
		"the least": {`{"model":"m","prompt":"a cat"}`, media.Image{ImageRequest: provider.ImageRequest{Prompt: "a cat", N: 1}}},
		"nulls are absent": {
			`{"model":"m","prompt":"a cat","n":null,"size":null,"seed":null,"user":null,"stream":null,"image":null,"response_format":null}`,
			media.Image{ImageRequest: provider.ImageRequest{Prompt: "a cat", N: 1}},
		},
		"everything": {
			`{"model":"m","prompt":"p","n":4,"size":"1024X768","response_format":"b64_json","image":["https://a.example/b.png",{"image_url":"data:image/png;base64,AA=="}],
			"seed":7,"negative_prompt":"n","watermark":true,"output_format":"png","quality":"high","style":"vivid","background":"opaque","moderation":"low","user":"u"}`,
			media.Image{ImageRequest: provider.ImageRequest{
				Prompt: "p", N: 4, Width: 1024, Height: 768, Base64: true, Images: []string{"https://a.example/b.png", "data:image/png;base64,AA=="},
				Seed: new(int64(7)), NegativePrompt: "n", Watermark: new(true), OutputFormat: "png",
			}},
		},
		"automatic size":    {`{"prompt":"p","size":"auto"}`, media.Image{ImageRequest: provider.ImageRequest{Prompt: "p", N: 1}}},
		"a stream is bytes": {`{"prompt":"p","stream":true}`, media.Image{Stream: true, ImageRequest: provider.ImageRequest{Prompt: "p", N: 1, Base64: true}}},
		"a whole float":     {`{"prompt":"p","n":2.0}`, media.Image{ImageRequest: provider.ImageRequest{Prompt: "p", N: 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := media.ParseImage(object(t, tc.body))
			if problem != nil {
				t.Fatal(problem)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// refused is what a test wants of a refusal.
type refused struct{ body, param, code string }

// checkRefused runs refusals against a parser.
func checkRefused(t *testing.T, parse func(*openai.Object) *openai.Error, cases map[string]refused) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			problem := parse(object(t, tc.body))
			if problem == nil {
				t.Fatal("it is taken")
			}
			if problem.Status != 400 || problem.Param != tc.param || problem.Code != tc.code || problem.Message == "" {
				t.Errorf("got %+v", problem)
			}
		})
	}
}

func TestParseImage_refuses(t *testing.T) {
	checkRefused(t, func(o *openai.Object) *openai.Error { _, e := media.ParseImage(o); return e }, map[string]refused{
		"no prompt":             {`{}`, "prompt", "missing_required_parameter"},
		"a blank prompt":        {`{"prompt":"  "}`, "prompt", "missing_required_parameter"},
		"a prompt without end":  {`{"prompt":"` + strings.Repeat("x", 32001) + `"}`, "prompt", "string_above_max_length"},
		"no images":             {`{"prompt":"p","n":0}`, "n", "unsupported_value"},
		"half an image":         {`{"prompt":"p","n":1.5}`, "n", "invalid_type"},
		"a list for n":          {`{"prompt":"p","n":[1]}`, "n", "invalid_type"},
		"endless n":             {`{"prompt":"p","n":1e400}`, "n", "invalid_type"},
		"a size of one":         {`{"prompt":"p","size":"1024"}`, "size", "unsupported_value"},
		"a huge size":           {`{"prompt":"p","size":"9000x100"}`, "size", "unsupported_value"},
		"another format":        {`{"prompt":"p","response_format":"png"}`, "response_format", "unsupported_value"},
		"a file":                {`{"prompt":"p","image":"/etc/passwd"}`, "image", "unsupported_value"},
		"a data URI of text":    {`{"prompt":"p","image":"data:text/html;base64,AA"}`, "image", "unsupported_value"},
		"a number for an image": {`{"prompt":"p","image":[5]}`, "image", "invalid_type"},
		"many references":       {`{"prompt":"p","image":[` + strings.TrimSuffix(strings.Repeat(`"https://a.example",`, 17), ",") + `]}`, "image", "unsupported_value"},
		"transparency":          {`{"prompt":"p","background":"transparent"}`, "background", "unsupported_value"},
		"compression":           {`{"prompt":"p","output_compression":50}`, "output_compression", "unsupported_value"},
		"a typing error":        {`{"prompt":"p","promt":"q"}`, "promt", "unknown_parameter"},
		"a stream that is text": {`{"prompt":"p","stream":"yes"}`, "stream", "invalid_type"},
	})
}

func TestParseVideo_reads(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want provider.VideoRequest
	}{
		"the product page's example": {
			`{"model":"seedance-2","prompt":"a samurai cat","duration":10,"resolution":"1080p"}`,
			provider.VideoRequest{Prompt: "a samurai cat", Duration: 10, Resolution: "1080p"},
		},
		"OpenAI's words": {
			`{"prompt":"p","seconds":"8","size":"1792x1024"}`,
			provider.VideoRequest{Prompt: "p", Duration: 8, Resolution: "1080p", AspectRatio: "16:9"},
		},
		"a size that agrees": {
			`{"prompt":"p","size":"720x1280","resolution":"720P","aspect_ratio":"9:16","n":1}`,
			provider.VideoRequest{Prompt: "p", Resolution: "720p", AspectRatio: "9:16"},
		},
		"a first frame alone": {`{"image":"https://a.example/1.png"}`, provider.VideoRequest{Image: "https://a.example/1.png"}},
		"switches": {
			`{"prompt":"p","audio":false,"watermark":true,"seed":0}`,
			provider.VideoRequest{Prompt: "p", Audio: new(false), Watermark: new(true), Seed: new(int64(0))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := media.ParseVideo(object(t, tc.body))
			if problem != nil {
				t.Fatal(problem)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseVideo_refuses(t *testing.T) {
	checkRefused(t, func(o *openai.Object) *openai.Error { _, e := media.ParseVideo(o); return e }, map[string]refused{
		"nothing to show":       {`{"model":"m"}`, "prompt", "missing_required_parameter"},
		"a length of none":      {`{"prompt":"p","duration":0}`, "duration", "unsupported_value"},
		"a length to be chosen": {`{"prompt":"p","duration":-1}`, "duration", "unsupported_value"},
		"two lengths":           {`{"prompt":"p","duration":5,"seconds":"8"}`, "seconds", "unsupported_value"},
		"another resolution":    {`{"prompt":"p","resolution":"360p"}`, "resolution", "unsupported_value"},
		"an odd size":           {`{"prompt":"p","size":"1000x1000"}`, "size", "unsupported_value"},
		"a size that disagrees": {`{"prompt":"p","size":"1280x720","resolution":"1080p"}`, "size", "unsupported_value"},
		"an end without start":  {`{"prompt":"p","last_image":"https://a.example/1.png"}`, "last_image", "unsupported_value"},
		"two videos":            {`{"prompt":"p","n":2}`, "n", "unsupported_value"},
		"a callback":            {`{"prompt":"p","callback_url":"https://a.example"}`, "callback_url", "unknown_parameter"},
	})
}

func TestParseSpeech_reads(t *testing.T) {
	got, problem := media.ParseSpeech(object(t, `{"model":"m","input":"Welcome.","voice":{"id":"v"},"stream_format":"sse","speed":1.25}`))
	want := media.Speech{Events: true, SpeechRequest: provider.SpeechRequest{Input: "Welcome.", Voice: "v", Format: "mp3", Speed: 1.25}}
	if problem != nil || cmp.Diff(want, got) != "" {
		t.Errorf("problem %v, request (-want +got):\n%s", problem, cmp.Diff(want, got))
	}
}

func TestParseSpeech_refuses(t *testing.T) {
	checkRefused(t, func(o *openai.Object) *openai.Error { _, e := media.ParseSpeech(o); return e }, map[string]refused{
		"no text":        {`{"voice":"v"}`, "input", "missing_required_parameter"},
		"no voice":       {`{"input":"x"}`, "voice", "missing_required_parameter"},
		"an empty voice": {`{"input":"x","voice":{}}`, "voice", "missing_required_parameter"},
		"a format":       {`{"input":"x","voice":"v","response_format":"ogg"}`, "response_format", "unsupported_value"},
		"too fast":       {`{"input":"x","voice":"v","speed":5}`, "speed", "unsupported_value"},
		"stream":         {`{"input":"x","voice":"v","stream":true}`, "stream", "unknown_parameter"},
	})
}

func TestParseMusic_reads(t *testing.T) {
	got, problem := media.ParseMusic(object(t, `{"model":"mureka-o1","prompt":"synthwave","lyrics":"on the edge","duration":90}`))
	want := provider.MusicRequest{Prompt: "synthwave", Lyrics: "on the edge", Duration: 90, N: 1}
	if problem != nil || cmp.Diff(want, got) != "" {
		t.Errorf("problem %v, request (-want +got):\n%s", problem, cmp.Diff(want, got))
	}
}

func TestParseMusic_refuses(t *testing.T) {
	checkRefused(t, func(o *openai.Object) *openai.Error { _, e := media.ParseMusic(o); return e }, map[string]refused{
		"nothing to sing":   {`{"model":"m"}`, "prompt", "missing_required_parameter"},
		"sung instrumental": {`{"prompt":"p","lyrics":"l","instrumental":true}`, "lyrics", "unsupported_value"},
		"an album":          {`{"prompt":"p","n":4}`, "n", "unsupported_value"},
	})
}

func TestWithDefaults_fillsWhatTheClientLeftOut(t *testing.T) {
	o := object(t, `{"prompt":"p","n":null,"size":"1x1"}`)
	got := media.WithDefaults(o, []provider.Parameter{{Name: "n", Value: json.RawMessage("2")}, {Name: "size", Value: json.RawMessage(`"2x2"`)}})
	if n, _ := got.Get("n"); string(n) != "2" {
		t.Errorf("n is %s", n)
	}
	if size, _ := got.Get("size"); string(size) != `"1x1"` {
		t.Errorf("size is %s", size)
	}
	if media.WithDefaults(o, nil) != o {
		t.Error("a body without defaults is copied")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"prompt":"p","n":2,"size":"1024x1024","image":["https://a.example"],"voice":{"id":"v"},"input":"x","duration":5}`))
	f.Add([]byte(`{"prompt":"\ud800","seed":18446744073709551616,"speed":1e999}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := openai.ParseObject(body)
		if err != nil {
			return
		}
		if in, problem := media.ParseImage(o); problem == nil && (in.N < 1 || in.N > 10 || in.Prompt == "") {
			t.Errorf("image %+v", in)
		}
		if in, problem := media.ParseVideo(o); problem == nil && (in.Duration < 0 || in.Prompt == "" && in.Image == "") {
			t.Errorf("video %+v", in)
		}
		if in, problem := media.ParseSpeech(o); problem == nil && (in.Speed < 0.25 || in.Voice == "") {
			t.Errorf("speech %+v", in)
		}
		if in, problem := media.ParseMusic(o); problem == nil && in.N < 1 {
			t.Errorf("music %+v", in)
		}
	})
}
