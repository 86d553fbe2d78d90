package sdk_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"vipcloud.ai/vipcloud/test/sim"
)

// job is a job as the API shows it.
type job struct {
	ID        string   `json:"id"`
	JobID     string   `json:"job_id"`
	Object    string   `json:"object"`
	Status    string   `json:"status"`
	PollURL   string   `json:"poll_url"`
	Model     string   `json:"model"`
	CreatedAt int64    `json:"created_at"`
	Warnings  []string `json:"warnings"`
	Result    *struct {
		URL   string   `json:"url"`
		URLs  []string `json:"urls"`
		Files []struct {
			URL         string `json:"url"`
			ContentType string `json:"content_type"`
			Variant     string `json:"variant"`
		} `json:"files"`
	} `json:"result"`
	Error *struct{ Code, Message string } `json:"error"`
}

// jobCase is work to submit, and what comes of it.
type jobCase struct {
	Name, Path, Object, Cancel string
	Body                       map[string]any
	Files, Warnings            []string
	Variants                   map[string]string
}

// submit makes a job by the SDK's generic post.
func submit(t *testing.T, client openai.Client, path string, body map[string]any, opts ...option.RequestOption) (j job) {
	t.Helper()
	var resp *http.Response
	if err := client.Post(t.Context(), path, body, &j, append(opts, option.WithResponseInto(&resp))...); err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("X-Should-Retry") != "false" {
		t.Error("a submit may be repeated")
	}
	return j
}

// pathOf is where a job is below the SDK's base URL. The SDK takes no absolute address, and puts its base URL even in front of poll_url.
func pathOf(j job) string { return strings.TrimPrefix(j.PollURL, "/v1") }

// end polls a job by the SDK's generic get until it has ended.
func end(t *testing.T, client openai.Client, j job) job {
	t.Helper()
	eventually(t, "the job's end", func() bool {
		var resp *http.Response
		var got job
		if err := client.Get(t.Context(), pathOf(j), nil, &got, option.WithResponseInto(&resp)); err != nil {
			t.Fatal(err)
		}
		if got.ID != j.ID || got.PollURL != j.PollURL || got.CreatedAt != j.CreatedAt || resp.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("a poll of %.20s says %+v", j.ID, got)
		}
		j = got
		pause, ended := resp.Header.Get("Retry-After"), !slices.Contains([]string{"queued", "in_progress"}, j.Status)
		if (pause == "") != ended || resp.Header.Get("Openai-Poll-After-Ms") != strings.TrimPrefix(pause+"000", "000") {
			t.Errorf("%s, and the next poll in %q", j.Status, pause)
		}
		return ended
	})
	return j
}

func TestJobs_fromSubmitToFile(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	for _, tc := range load[[]jobCase](t, "jobs") {
		t.Run(tc.Name, func(t *testing.T) {
			j := submit(t, client, tc.Path, tc.Body)
			prefix := "/v1/" + strings.Split(tc.Path, "/")[1] + "/jobs/"
			if j.ID == "" || j.ID != j.JobID || j.Status != "queued" || j.Object != tc.Object || j.PollURL != prefix+j.ID || j.Model != tc.Body["model"] {
				t.Fatalf("submitted %+v", j)
			}
			j = end(t, client, j)
			if j.Status != "completed" || j.Result == nil || j.Error != nil {
				t.Fatalf("ended as %+v (%+v)", j, j.Error)
			}
			w.wantFiles(t, &j, &tc)
			for _, word := range tc.Warnings {
				if !slices.ContainsFunc(j.Warnings, func(warning string) bool { return strings.Contains(warning, word) }) {
					t.Errorf("no word of %s in %q", word, j.Warnings)
				}
			}
		})
	}
}

// wantFiles checks the files of a job that is done: those that were asked for, and other forms of them.
func (w *world) wantFiles(t *testing.T, j *job, tc *jobCase) {
	t.Helper()
	var urls, types []string
	variants := map[string]string{}
	for _, f := range j.Result.Files {
		data, _ := w.download(t, f.URL)
		wantOpens(t, data, kindOfType(f.ContentType))
		if f.Variant == "" {
			urls, types = append(urls, f.URL), append(types, f.ContentType)
		} else {
			variants[f.Variant] = f.ContentType
		}
	}
	if diff := cmp.Diff(tc.Files, types); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if !slices.Equal(j.Result.URLs, urls) || len(urls) == 0 || j.Result.URL != urls[0] {
		t.Errorf("result is %+v", j.Result)
	}
	for variant, contentType := range tc.Variants {
		if variants[variant] != contentType {
			t.Errorf("variant %s is %q", variant, variants[variant])
		}
	}
}

func TestJobs_cancel(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	for _, tc := range load[[]jobCase](t, "jobs") {
		if tc.Cancel == "" {
			continue
		}
		t.Run(tc.Name, func(t *testing.T) {
			j := submit(t, client, tc.Path, prompted(tc.Body, "[[fail task_slow]]"))
			var got job
			err := client.Delete(t.Context(), pathOf(j), nil, &got)
			if tc.Cancel != "cancelled" {
				var e *openai.Error
				if !errors.As(err, &e) || e.StatusCode != http.StatusBadRequest || e.Code != tc.Cancel {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || got.Status != "cancelled" || end(t, client, j).Status != "cancelled" {
				t.Errorf("got %+v (%v)", got, err)
			}
			if charges := w.charges(); len(charges) != 0 {
				t.Errorf("the vendors bill %+v", charges)
			}
		})
	}
}

func TestJobs_failuresAreNoErrorsOfThePoll(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	for _, tc := range load[[]struct {
		Name, Path, Status, Code string
		Body                     map[string]any
	}](t, "job_ends") {
		t.Run(tc.Name, func(t *testing.T) {
			j := end(t, client, submit(t, client, tc.Path, tc.Body))
			if j.Status != tc.Status || j.Result != nil || j.Error == nil || len(j.Error.Message) <= 10 {
				t.Fatalf("ended as %+v (%+v)", j, j.Error)
			}
			if tc.Code != "" && j.Error.Code != tc.Code {
				t.Errorf("code is %s, want %s", j.Error.Code, tc.Code)
			}
		})
	}
	if charges := w.charges(); len(charges) != 0 {
		t.Errorf("the vendors bill %+v", charges)
	}
}

func TestJobs_foreignAndForgedIDsAreNotFound(t *testing.T) {
	w := newWorld(t, catalog)
	j := submit(t, w.client(""), "/videos/generations", map[string]any{"model": "seedance-2", "prompt": "a cat"})
	told := map[string]bool{}
	for name, tc := range map[string]struct{ key, path string }{
		"of another owner":    {"narrow", "/videos/jobs/" + j.ID},
		"of another modality": {"main", "/music/jobs/" + j.ID},
		"changed":             {"main", "/videos/jobs/" + j.ID[:len(j.ID)-4] + "AAAA"},
		"shortened":           {"main", "/videos/jobs/" + j.ID[:60]},
		"invented":            {"main", "/videos/jobs/nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			client := w.client(tc.key)
			err := client.Get(t.Context(), tc.path, nil, nil)
			var e *openai.Error
			if !errors.As(err, &e) || e.StatusCode != http.StatusNotFound || e.Type != "not_found_error" || e.Code != "job_not_found" {
				t.Fatalf("got %v", err)
			}
			told[e.RawJSON()] = true
		})
	}
	if len(told) != 1 {
		t.Errorf("answers differ: %v", told)
	}
	client := w.client("")
	if err := client.Get(t.Context(), "/videos/jobs/"+j.ID, nil, nil); err != nil {
		t.Errorf("the own one: %v", err)
	}
}

func TestJobs_idempotencyKeyMakesOneJob(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	body := map[string]any{"model": "seedance-2", "prompt": "a cat"}
	once := option.WithHeader("Idempotency-Key", "once")
	first, second := submit(t, client, "/videos/generations", body, once), submit(t, client, "/videos/generations", body, once)
	if first.ID != second.ID || w.vendorCalls() != 1 {
		t.Errorf("%d calls of the vendor, ids %.20s and %.20s", w.vendorCalls(), first.ID, second.ID)
	}
	_, err := call(t, client, "/videos/generations", with(body, map[string]any{"prompt": "a dog"}), once)
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != http.StatusBadRequest || e.Code != "idempotency_key_reused" {
		t.Errorf("got %v", err)
	}
	lost := option.WithHeader("Idempotency-Key", "lost")
	for range 2 {
		_, err := call(t, client, "/videos/generations", prompted(body, "[[fail lost]]"), lost)
		if !errors.As(err, &e) || e.Response.Header.Get("X-Should-Retry") != "false" {
			t.Errorf("got %v", err)
		}
	}
	if n := len(w.vendors.Media(sim.Ark).Ledger()); n != 2 {
		t.Errorf("the vendor was called %d times, want 2", n)
	}
}

func TestJobs_resultThroughTheGateway(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	j := end(t, client, submit(t, client, "/videos/generations", map[string]any{"model": "conformance/proxied-video", "prompt": "a cat"}))
	if j.Result == nil || j.Result.URL != "/v1/videos/jobs/"+j.ID+"/content?file=0" {
		t.Fatalf("ended as %+v", j)
	}
	wantOpens(t, readAll(t, w.plain(t, http.MethodGet, j.Result.URL, "main", nil)), "mp4")
	part := w.plain(t, http.MethodGet, j.Result.URL, "main", nil, "Range", "bytes=4-7")
	if data := readAll(t, part); part.StatusCode != http.StatusPartialContent || string(data) != "ftyp" {
		t.Errorf("a part is %d %q", part.StatusCode, data)
	}
	for key, want := range map[string]int{"": http.StatusUnauthorized, "narrow": http.StatusNotFound} {
		resp := w.plain(t, http.MethodGet, j.Result.URL, key, nil)
		if _ = readAll(t, resp); resp.StatusCode != want {
			t.Errorf("key %q gets %d, want %d", key, resp.StatusCode, want)
		}
	}
}
