package dashscope

import (
	"net/http"
	"sync"
	"testing"
)

func TestHandles_onlyNativePaths(t *testing.T) {
	for path, want := range map[string]bool{
		SyncImagesPath: true, ImagesPath: true, SynthesisPath: true, VideosPath: true, TasksPath + "1": true, "/files/1.png": true,
		"/compatible-mode/v1/chat/completions": false, "/compatible-mode/v1/models": false, "/": false,
	} {
		if got := Handles(path); got != want {
			t.Errorf("Handles(%s) = %v", path, got)
		}
	}
}

func TestDoor_refusesWhatNoCallAnswers(t *testing.T) {
	const unsupported, unknown, wrong = "UnsupportedOperation", "NotFound", "MethodNotAllowed"
	cases := map[string]struct {
		method, path string
		headers      []string
		status       int
		code         string
	}{
		"no credentials": {path: SyncImagesPath, headers: []string{"Authorization", ""}, status: 401, code: "InvalidApiKey"},
		"a wrong key": {path: SyncImagesPath, headers: []string{"Authorization", "Bearer sk-1"}, status: 401,
			code: "InvalidApiKey"},
		"a key without a scheme": {path: SyncImagesPath, headers: []string{"Authorization", key}, status: 401, code: "InvalidApiKey"},
		"a poll without credentials": {method: http.MethodGet, path: TasksPath + "1", headers: []string{"Authorization", ""}, status: 401,
			code: "InvalidApiKey"},
		"a form": {path: SyncImagesPath, headers: []string{"Content-Type", "text/plain"}, status: 400,
			code: "InvalidParameter"},
		"at once, asynchronously":      {path: SyncImagesPath, headers: []string{async, "enable"}, status: 400, code: unsupported},
		"a task of images, at once":    {path: ImagesPath, status: 400, code: unsupported},
		"an older task, at once":       {path: SynthesisPath, status: 400, code: unsupported},
		"a video, at once":             {path: VideosPath, status: 400, code: unsupported},
		"a video, disabled":            {path: VideosPath, headers: []string{async, "disable"}, status: 400, code: unsupported},
		"a wrong path":                 {path: "/api/v1/services/aigc/image-generation", status: 404, code: unknown},
		"a task without an id":         {method: http.MethodGet, path: TasksPath, status: 404, code: unknown},
		"a cancellation without an id": {path: TasksPath + "/cancel", status: 404, code: unknown},
		"GET of images":                {method: http.MethodGet, path: SyncImagesPath, status: 405, code: wrong},
		"POST to a task":               {path: TasksPath + "1", status: 405, code: wrong},
		"DELETE of a task":             {method: http.MethodDelete, path: TasksPath + "1", status: 405, code: wrong},
		"GET of a cancellation":        {method: http.MethodGet, path: TasksPath + "1/cancel", status: 405, code: wrong},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			if c.method == "" {
				c.method = http.MethodPost
			}
			expectRefusal(t, b.send(c.method, c.path, ask(v27, "a cat", ""), c.headers...), c.status, c.code, "")
			if b.charged() != nil || b.sim.Unfinished() != 0 {
				t.Errorf("a refusal had an effect")
			}
		})
	}
	b := start(t)
	b.sim.Alternate = true
	expectRefusal(t, b.send(http.MethodPost, VideosPath, "{}"), 403, "AccessDenied", "")
}

func TestSimulator_servesManyAtOnce(t *testing.T) {
	b := start(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			id := b.submit(VideosPath, film(t2v, "x", "", "")).get("output.task_id").Str
			if got := b.poll(id); got.status != 200 || got.get("output.task_id").Str != id {
				t.Errorf("got %d %s", got.status, got.body)
			}
			b.images(ask(v27, "x", `"n":1,"size":"1K"`))
			b.send(http.MethodPost, TasksPath+id+"/cancel", "")
		})
	}
	all.Wait()
	if got := b.sim.Orders(); len(got) != 16 || len(b.charged()) != 8 || b.sim.Unfinished() != 0 {
		t.Errorf("%d orders, charges %v, %d tasks under way", len(got), b.charged(), b.sim.Unfinished())
	}
}
