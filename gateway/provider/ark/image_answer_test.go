package ark

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestReadImages(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	usual := provider.ImageResult{URL: "https://f.example.com/a", Lifetime: day}
	one := provider.Usage{Known: true, Images: 1}
	refused := &provider.Error{
		Class: provider.ClassModeration, Status: 200, Code: "OutputImageSensitiveContentDetected", Message: "No.", RequestID: "02ab",
	}
	missing := provider.BadResponse(200, "no_image", "An image of the answer is missing.")
	tests := map[string]struct {
		base64 bool
		body   string
		want   provider.ImageAnswer
	}{
		"an address": {
			body: `{"model":"m","created":1757321139,"data":[{"url":"https://f.example.com/a.jpeg?sign=1","size":"2048x2048"}],` +
				`"usage":{"generated_images":1,"output_tokens":16384,"total_tokens":16384}}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{{URL: "https://f.example.com/a.jpeg?sign=1", Lifetime: day, Size: "2048x2048"}},
				Usage:  provider.Usage{Known: true, Images: 1, CompletionTokens: 16384},
			},
		},
		"bytes": {
			base64: true, body: "\n {\"data\":[{\"b64_json\":\"QUJD\",\"size\":\"2048x2048\"}],\"usage\":{\"generated_images\":1}} \n",
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{{Base64: "QUJD", Size: "2048x2048"}},
				Usage:  one,
			},
		},
		"an address although bytes were wanted": {
			base64: true, body: `{"data":[{"url":"https://f.example.com/a","b64_json":""}],"usage":{"generated_images":1}}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{usual}, Usage: one,
			},
		},
		"both where an address was wanted": {
			body: `{"data":[{"url":"https://f.example.com/a","b64_json":"QUJD"}],"usage":{"generated_images":1}}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{usual}, Usage: one,
			},
		},
		"both where bytes were wanted": {
			base64: true, body: `{"data":[{"url":"https://f.example.com/a","b64_json":"QUJD"}],"usage":{"generated_images":1}}`,
			want: provider.ImageAnswer{Images: []provider.ImageResult{{Base64: "QUJD"}}, Usage: one},
		},
		"a model that tells neither size nor tokens nor usage": {
			body: `{"data":[{"url":"https://f.example.com/a"}],"usage":null}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{usual}, Usage: provider.Usage{Images: 1},
			},
		},
		"a part of a set was refused": {
			body: `{"data":[{"url":"https://f.example.com/a"},` +
				`{"error":{"code":"OutputImageSensitiveContentDetected","message":"No. Request id: 02ab"}}],"usage":` +
				`{"generated_images":1}}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{usual, {Failure: refused}},
				Usage:  one,
			},
		},
		"all was refused, which is also the error of the whole": {
			body: `{"data":[{"error":{"code":"OutputImageSensitiveContentDetected","message":"No. Request id: 02ab"}}],` +
				`"usage":{"generated_images":0},"error":{"code":"OutputImageSensitiveContentDetected","message":"No. Request id: 02ab"}}`,
			want: provider.ImageAnswer{Images: []provider.ImageResult{{Failure: refused}}, Usage: provider.Usage{Known: true}},
		},
		"a set that broke off": {
			body: `{"data":[{"url":"https://f.example.com/a"}],"usage":{"generated_images":1},` +
				`"error":{"code":"InternalServiceError","message":"oh"}}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{
					usual,
					{Failure: &provider.Error{Class: provider.ClassServerError, Status: 200, Code: "InternalServiceError", Message: "oh"}},
				},
				Usage: one,
			},
		},
		"a failure whose code nobody knows is the vendor's": {
			body: `{"data":[{"error":{"code":"SomethingNew"}}]}`,
			want: provider.ImageAnswer{Images: []provider.ImageResult{{Failure: &provider.Error{Status: 200, Code: "SomethingNew"}}}},
		},
		"more counted than there is": {
			body: `{"data":[{"url":"https://f.example.com/a"}],"usage":{"generated_images":1e300,"output_tokens":-5}}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{usual}, Usage: one,
			},
		},
		"less counted than there is": {
			body: `{"data":[{"url":"https://f.example.com/a"}],"usage":{"generated_images":0}}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{usual}, Usage: provider.Usage{Known: true},
			},
		},
		"counts that are none": {
			body: `{"data":[{"url":"https://f.example.com/a"}],"usage":{"generated_images":-1}}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{usual}, Usage: provider.Usage{Images: 1},
			},
		},
		"elements without an image": {
			body: `{"data":[{"size":"1x1"},{"url":"ftp://f.example.com/a"},"text",null],"usage":{"generated_images":4}}`,
			want: provider.ImageAnswer{
				Images: []provider.ImageResult{{Failure: missing}, {Failure: missing}, {Failure: missing}, {Failure: missing}},
				Usage:  provider.Usage{Known: true},
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, next, err := imageReader(tc.base64)(answer(http.StatusOK, tc.body))
			if err != nil || next != nil {
				t.Fatalf("Read() next = %v, error = %v", next, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadNothing(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body  string
		class provider.Class
	}{
		"an error inside a success":       {`{"error":{"code":"InputTextRiskDetection","message":"no"}}`, provider.ClassModeration},
		"an error beside an empty list":   {`{"data":[],"id":"cgt","error":{"code":"AccountOverdueError"}}`, provider.ClassNoBalance},
		"neither a result nor an error":   {`{"created":1}`, provider.ClassBadResponse},
		"nulls":                           {`{"data":null,"id":null,"status":null,"error":null}`, provider.ClassBadResponse},
		"members of another type":         {`{"data":{"url":"https://f.example.com/a"},"id":7,"status":7}`, provider.ClassBadResponse},
		"an id that is no word":           {`{"id":"a b"}`, provider.ClassBadResponse},
		"broken JSON":                     {`{"data":[{"url":"https://`, provider.ClassBadResponse},
		"JSON with more behind it":        {`{"id":"cgt-1"}{"id":"cgt-2"}`, provider.ClassBadResponse},
		"an array":                        {`[]`, provider.ClassBadResponse},
		"a page":                          {`<html></html>`, provider.ClassBadResponse},
		"nothing":                         {``, provider.ClassBadResponse},
		"nothing but white space is none": {" \n", provider.ClassBadResponse},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for reader, err := range readAll(answer(http.StatusOK, tc.body)) {
				e := errorOf(t, err)
				// A poll without a status says nothing, whatever else is there.
				if e.Class != tc.class && (reader != "poll" || e.Class != provider.ClassBadResponse) {
					t.Errorf("%s: class = %s, want %s", reader, e.Class, tc.class)
				}
			}
		})
	}
}
