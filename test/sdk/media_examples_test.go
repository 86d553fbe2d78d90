package sdk_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// parameter is a named argument of an example, which is written in Python.
var parameter = regexp.MustCompile(`(?m)^ {4}(\w+)=(.+),$`)

// example reads the arguments of an example of the API reference. They are JSON as they stand there.
func example(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "conformance", "examples", name+".py"))
	if err != nil {
		t.Fatal(err)
	}
	body := map[string]any{}
	for _, m := range parameter.FindAllSubmatch(text, -1) {
		var value any
		if err := json.Unmarshal(m[2], &value); err != nil {
			t.Fatalf("%s: %v", m[0], err)
		}
		body[string(m[1])] = value
	}
	return body
}

// TestExamples_ofMedia runs the examples of images, video, speech and music of the API reference, and looks at what they cost.
func TestExamples_ofMedia(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("environment")
	for name, tc := range map[string]struct {
		path, kind string
		params     int
		want       studio.Charge
	}{
		"image":  {"/images/generations", "png", 4, studio.Charge{Kind: studio.Image, Units: 1}},
		"speech": {"/audio/speech", "mp3", 4, studio.Charge{Kind: studio.Speech, Units: 20}},
		"video":  {"/videos/generations", "mp4", 4, studio.Charge{Kind: studio.Video, Units: 10}},
		"music":  {"/music/generations", "mp3", 4, studio.Charge{Kind: studio.Music, Units: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			body, before := example(t, name), w.charges()
			if len(body) != tc.params {
				t.Fatalf("the example has %d parameters: %v", len(body), body)
			}
			answer, err := call(t, client, tc.path, body)
			if err != nil {
				t.Fatal(err)
			}
			wantOpens(t, w.result(t, client, name, answer), tc.kind)
			charges := w.chargesSince(before)
			if len(charges) != 1 {
				t.Fatalf("the vendors bill %+v", charges)
			}
			tc.want.ID, tc.want.Model = charges[0].ID, charges[0].Model
			if diff := cmp.Diff(tc.want, charges[0]); diff != "" {
				t.Errorf("charge (-want +got):\n%s", diff)
			}
		})
	}
}

// result is the file that an example gives in the end.
func (w *world) result(t *testing.T, client openai.Client, name string, answer []byte) []byte {
	t.Helper()
	var got struct {
		Data []struct{ URL string }
		job
	}
	if name == "speech" {
		return answer
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatalf("answer is %.200s: %v", answer, err)
	}
	if name == "image" {
		data, _ := w.download(t, got.Data[0].URL)
		return data
	}
	if got.Status != "queued" || got.ID == "" || got.PollURL == "" {
		t.Fatalf("answer is %s", answer)
	}
	done := end(t, client, got.job)
	if done.Status != "completed" {
		t.Fatalf("ended as %+v", done)
	}
	data, _ := w.download(t, done.Result.URL)
	return data
}
