package arkmedia

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

func TestHandles_onlyMediaPaths(t *testing.T) {
	for path, want := range map[string]bool{
		ImagesPath: true, TasksPath: true, TasksPath + "/cgt-1": true, "/files/1.jpeg": true,
		"/api/v3/chat/completions": false, "/api/v3/models": false, "/": false,
	} {
		if got := Handles(path); got != want {
			t.Errorf("Handles(%s) = %v", path, got)
		}
	}
}

func TestDoor_refusesWhatNoCallAnswers(t *testing.T) {
	const body = `{"model":"doubao-seedream-4-5-251128","prompt":"a cat"}`
	cases := map[string]struct {
		method, path string
		headers      []string
		status       int
		code, param  string
	}{
		"no credentials":         {headers: []string{"Authorization", ""}, status: 401, code: "AuthenticationError"},
		"a wrong key":            {headers: []string{"Authorization", "Bearer 1"}, status: 401, code: "AuthenticationError"},
		"another scheme":         {headers: []string{"Authorization", "HMAC-SHA256 " + key}, status: 401, code: "AuthenticationError"},
		"a key without a scheme": {headers: []string{"Authorization", key}, status: 401, code: "AuthenticationError"},
		"a form":                 {headers: []string{"Content-Type", "text/plain"}, status: 400, code: "InvalidParameter", param: "Content-Type"},
		"no content type":        {headers: []string{"Content-Type", ""}, status: 400, code: "InvalidParameter", param: "Content-Type"},
		"a wrong path":           {path: "/api/v3/images/edits", status: 404, code: "NotFound"},
		"a longer path":          {path: TasksPath + "/cgt-1/x", status: 404, code: "NotFound"},
		"a task without an id":   {method: http.MethodGet, path: TasksPath + "/", status: 404, code: "NotFound"},
		"GET of images":          {method: http.MethodGet, status: 405, code: "MethodNotAllowed"},
		"DELETE of the list":     {method: http.MethodDelete, path: TasksPath, status: 405, code: "MethodNotAllowed"},
		"POST to a task":         {path: TasksPath + "/cgt-1", status: 405, code: "MethodNotAllowed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			if c.method == "" {
				c.method = http.MethodPost
			}
			if c.path == "" {
				c.path = ImagesPath
			}
			expectRefusal(t, b.send(c.method, c.path, body, c.headers...), c.status, c.code, c.param)
			if got := b.charged(); got != nil {
				t.Errorf("charges = %v", got)
			}
		})
	}
}

func TestSimulator_belowAPrefixItsFilesAreToo(t *testing.T) {
	b := start(t)
	server := httptest.NewServer(http.StripPrefix("/ark", b.sim))
	defer server.Close()
	b.url = server.URL + "/ark"
	got := b.images(ask(v45, "x", ""))
	if file := b.fetch(got.get("data.0.url").Str); file.status != 200 {
		t.Errorf("the file of %s: %d", got.body, file.status)
	}
}

func TestSimulator_servesManyAtOnce(t *testing.T) {
	b := start(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			id := b.submit(video("x")).get("id").Str
			if got := b.poll(id); got.status != 200 || got.get("id").Str != id {
				t.Errorf("got %d %s", got.status, got.body)
			}
			b.images(ask(v45, "x", ""))
			b.send(http.MethodGet, TasksPath, "")
			b.send(http.MethodDelete, TasksPath+"/"+id, "")
		})
	}
	all.Wait()
	if got := b.sim.Orders(); len(got) != 16 || len(b.charged()) != 8 || b.sim.Unfinished() != 0 {
		t.Errorf("%d orders, charges %v, %d tasks under way", len(got), b.charged(), b.sim.Unfinished())
	}
}
