package tencent

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// job is a job of the tests.
func job() provider.Task { return provider.Task{ID: "12-34", State: "ap-guangzhou"} }

func TestImageJobThatGoesOn(t *testing.T) {
	t.Parallel()
	for name, members := range map[string]string{
		"waiting":                     `"JobStatusCode":"1","JobStatusMsg":"排队中","ResultImage":[]`,
		"running":                     `"JobStatusCode":"2","ResultImage":null`,
		"a number":                    `"JobStatusCode":2`,
		"a status that nobody knows":  `"JobStatusCode":"3"`,
		"a status that nobody expect": `"JobStatusCode":"RUN"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readImages(respond(members), job())
			if diff := cmp.Diff(provider.ImageAnswer{Task: job()}, got); err != nil || diff != "" {
				t.Errorf("error = %v, answer (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestReadImages(t *testing.T) {
	t.Parallel()
	image := func(name, prompt string) provider.ImageResult {
		return provider.ImageResult{URL: "https://f.example.com/" + name, Lifetime: time.Hour, RevisedPrompt: prompt}
	}
	unmade := func(class provider.Class, code, message string) provider.ImageResult {
		return provider.ImageResult{Failure: &provider.Error{Class: class, Status: 200, Code: code, Message: message, RequestID: "r1"}}
	}
	nothing := provider.ImageResult{Failure: provider.BadResponse(200, "no_images", "The job is done and has made no images.")}
	const done = `"RequestId":"r1","JobStatusCode":"5","JobErrorCode":"","JobErrorMsg":"",`
	const failed = `"RequestId":"r1","JobStatusCode":"4","JobStatusMsg":"处理失败",`
	tests := map[string]struct {
		members string
		want    []provider.ImageResult
	}{
		"an image": {
			done + `"ResultImage":["https://f.example.com/a"],"ResultDetails":["Success"],"RevisedPrompt":["a fine cat"]`,
			[]provider.ImageResult{image("a", "a fine cat")},
		},
		"a number for a status, and nothing but the image": {
			`"JobStatusCode":5,"ResultImage":["https://f.example.com/a"]`, []provider.ImageResult{image("a", "")},
		},
		"an address that is not in a list": {done + `"ResultImage":"https://f.example.com/a"`, []provider.ImageResult{image("a", "")}},
		"two images": {
			done + `"ResultImage":["https://f.example.com/a","https://f.example.com/b"],` +
				`"ResultDetails":["Success","success"],"RevisedPrompt":["x","y"]`,
			[]provider.ImageResult{image("a", "x"), image("b", "y")},
		},
		"one of two, and no place for the other": {
			done + `"ResultImage":["https://f.example.com/a"],"ResultDetails":["FailedOperation.ModerationFailed","Success"]`,
			[]provider.ImageResult{
				image("a", ""), unmade(provider.ClassModeration, "FailedOperation.ModerationFailed", "FailedOperation.ModerationFailed"),
			},
		},
		"one of two, and an empty place for the other": {
			done + `"ResultImage":["","https://f.example.com/b"],"ResultDetails":["Failed","Success"],"RevisedPrompt":["x","y"]`,
			[]provider.ImageResult{image("b", "y"), unmade(provider.ClassServerError, "Failed", "Failed")},
		},
		"a detail that belies the image": {
			done + `"ResultImage":["https://f.example.com/a"],"ResultDetails":["Done"]`, []provider.ImageResult{image("a", "")},
		},
		"none, and a detail": {
			done + `"ResultImage":[],"ResultDetails":["no luck"]`, []provider.ImageResult{unmade(provider.ClassServerError, "no", "no luck")},
		},
		"none, and a code": {
			`"RequestId":"r1","JobStatusCode":"5","JobErrorCode":"OperationDenied.ImageIllegalDetected","JobErrorMsg":"no"`,
			[]provider.ImageResult{unmade(provider.ClassModeration, "OperationDenied.ImageIllegalDetected", "no")},
		},
		"none at all":            {done + `"ResultImage":[],"ResultDetails":["Success"]`, []provider.ImageResult{nothing}},
		"what cannot be fetched": {done + `"ResultImage":["ftp://f.example.com/a",7,null]`, []provider.ImageResult{nothing}},
		"a failure of the vendor's": {
			failed + `"JobErrorCode":"FailedOperation.InnerError","JobErrorMsg":"oh"`,
			[]provider.ImageResult{unmade(provider.ClassServerError, "FailedOperation.InnerError", "oh")},
		},
		"a failure of the output": {
			failed + `"JobErrorCode":"FailedOperation.GenerateImageFailed","JobErrorMsg":"no"`,
			[]provider.ImageResult{unmade(provider.ClassModeration, "FailedOperation.GenerateImageFailed", "no")},
		},
		"a failure without any reason": {
			failed + `"JobErrorCode":"","JobErrorMsg":""`, []provider.ImageResult{unmade(provider.ClassServerError, "", "处理失败")},
		},
		"a failure beside what is made": {
			failed + `"ResultImage":["https://f.example.com/a"]`, []provider.ImageResult{unmade(provider.ClassServerError, "", "处理失败")},
		},
		"a job that is not known": {
			`"Error":{"Code":"FailedOperation.JobNotExist","Message":"no such job"},"RequestId":"r1"`,
			[]provider.ImageResult{unmade(provider.ClassServerError, "FailedOperation.JobNotExist", "no such job")},
		},
		"a job that is not found": {
			`"Error":{"Code":"FailedOperation.JobNotFound","Message":"no such job"},"RequestId":"r1"`,
			[]provider.ImageResult{unmade(provider.ClassServerError, "FailedOperation.JobNotFound", "no such job")},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readImages(respond(tc.members), job())
			if err != nil {
				t.Fatal(err)
			}
			want := provider.ImageAnswer{Images: tc.want}
			for _, i := range tc.want {
				if i.Failure == nil {
					want.Usage.Images++
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestImageFailureThatIsTheClients(t *testing.T) {
	t.Parallel()
	got, err := readImages(respond(`"JobStatusCode":"4","JobErrorCode":"FailedOperation.ImageDownloadError","JobErrorMsg":"no"`), job())
	if err != nil || len(got.Images) != 1 {
		t.Fatalf("answer = %+v, %v", got, err)
	}
	if e := got.Images[0].Failure; e.Class != provider.ClassInvalidRequest || e.Param != "image" {
		t.Errorf("failure = %v of %q, want invalid_request of image", e, e.Param)
	}
}

func TestReadNothing(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no status":                 `{"Response":{"RequestId":"r1"}}`,
		"a status that is none":     `{"Response":{"JobStatusCode":{},"Status":[],"JobId":true}}`,
		"a null":                    `{"Response":{"JobStatusCode":null,"Status":null,"JobId":null,"Error":null}}`,
		"an empty status":           `{"Response":{"JobStatusCode":"","Status":"","JobId":""}}`,
		"an id that is no word":     `{"Response":{"JobId":"a b"}}`,
		"too long an id":            `{"Response":{"JobId":"` + strings.Repeat("1", 97) + `"}}`,
		"no response":               `{"JobId":"1","Status":"DONE","JobStatusCode":"5"}`,
		"a response that is a list": `{"Response":[{"JobId":"1"}]}`,
		"broken JSON":               `{"Response":{"JobId":"1"`,
		"JSON with more behind it":  `{"Response":{"JobId":"1"}}{"Response":{"JobId":"2"}}`,
		"an array":                  `[]`,
		"a page":                    `<html></html>`,
		"nothing":                   ``,
		"white space":               " \n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for reader, err := range readAll(answer(http.StatusOK, body)) {
				if e := errorOf(t, err); e.Class != provider.ClassBadResponse || e.Status != http.StatusOK {
					t.Errorf("%s: %v, want an error of class bad_response", reader, e)
				}
			}
		})
	}
}

// readAll hands a response to all that read one, except that a job which the vendor does not know is none.
func readAll(r *provider.Response) map[string]error {
	errs := map[string]error{}
	_, errs["submit"] = readJob(r, "ap-guangzhou")
	if a, err := readImages(r, job()); len(a.Images) == 0 {
		errs["images"] = err
	}
	if s, err := readState(r); !s.Gone {
		errs["video"] = err
	}
	return errs
}

func TestReadJob(t *testing.T) {
	t.Parallel()
	for name, members := range map[string]string{
		"a text":   `"JobId":"1387262242604040192","RequestId":"r1"`,
		"a number": `"JobId":1387262242604040192`,
		"no error": `"JobId":"1387262242604040192","Error":null`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readJob(respond(members), "ap-beijing")
			if want := (provider.Task{ID: "1387262242604040192", State: "ap-beijing"}); err != nil || got != want {
				t.Errorf("readJob() = %+v, %v; want %+v", got, err, want)
			}
		})
	}
}
