package mureka

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// inside returns what an envelope holds, under either name, and a task's id, under either name.
func inside(r reply) (content gjson.Result, id string) {
	content = gjson.Get(r.body, "resp_data")
	if !content.Exists() {
		content = gjson.Get(r.body, "data")
	}
	return content, content.Get("id").Str + content.Get("task_id").Str
}

func TestSkywork_song(t *testing.T) {
	b := start(t)
	r := b.post(skyworkPath+"?action=song_generate", `{"lyrics":"la la","model":"mureka-o1","prompt":"folk","n":1}`)
	task, id := inside(r)
	if r.status != http.StatusOK || r.get("code") != "0" || r.get("trace_id") == "" || id == "" || task.Get("status").Str != "preparing" {
		t.Fatalf("generate = %d %s", r.status, r.body)
	}
	poll := func() gjson.Result {
		task, got := inside(b.get(skyworkPath + "?action=song_query&task_id=" + id))
		if got != id {
			t.Errorf("the id is %q, want %q", got, id)
		}
		return task
	}
	if task := poll(); task.Get("status").Str != "queued" || task.Get("progress").Int() != 0 {
		t.Errorf("poll = %s", task)
	}
	b.ends()
	task = poll()
	if task.Get("status").Str != "succeeded" || task.Get("progress").Int() != 100 || task.Get("model").Str != "mureka-o1" {
		t.Errorf("poll = %s", task)
	}
	b.wantFile(task.Get("choices.0.url").Str, "\xff\xfb")
	b.wantRefusal(b.get("/v1/song/query/"+id), http.StatusNotFound, "does not exist")
	b.want(b.get(skyworkPath+"?action=instrumental_query&task_id="+id), http.StatusNotFound, `"code":404`)
	want := []studio.Charge{{ID: id, Kind: studio.Music, Model: "mureka-o1", Units: 1}}
	if diff := cmp.Diff(want, b.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
}

func TestSkywork_formsTakeTurns(t *testing.T) {
	b := start(t)
	b.sim.LimitConcurrency(9)
	form := func(r reply) (f string) {
		for _, path := range []string{"resp_data.id", "resp_data.task_id", "data.id", "data.task_id"} {
			if r.get(path) != "" {
				f += path
			}
		}
		return f
	}
	created, polled := map[string]int{}, map[string]int{}
	for range 4 {
		r := b.post(skyworkPath+"?action=song_generate", `{"lyrics":"la"}`)
		_, id := inside(r)
		created[form(r)]++
		polled[form(b.get(skyworkPath+"?action=song_query&task_id="+id))]++
	}
	want := map[string]int{"resp_data.id": 1, "resp_data.task_id": 1, "data.id": 1, "data.task_id": 1}
	for _, got := range []map[string]int{created, polled} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("forms (-want +got):\n%s", diff)
		}
	}
}

func TestSkywork_instrumentalsAndLyrics(t *testing.T) {
	b := start(t)
	task, id := inside(b.post(skyworkPath+"?action=instrumental_generate", `{"prompt":"rain"}`))
	if task.Get("model").Str != "mureka-7.5" {
		t.Errorf("generate = %s", task)
	}
	b.ends()
	if task, _ := inside(b.get(skyworkPath + "?action=instrumental_query&task_id=" + id)); task.Get("choices.#").Int() != 2 {
		t.Errorf("poll = %s", task)
	}
	text, _ := inside(b.post(skyworkPath+"?action=lyrics_generate", `{"prompt":"rain"}`))
	if text.Get("title").Str == "" || text.Get("lyrics").Str == "" {
		t.Errorf("lyrics = %s", text)
	}
}

func TestSkywork_refuses(t *testing.T) {
	for name, tc := range map[string]struct {
		method, query, body string
		status              int
		says                string
	}{
		"no action":                     {http.MethodPost, "", `{"lyrics":"la"}`, 400, "action"},
		"two actions":                   {http.MethodPost, "?action=song_generate&action=song_query", `{"lyrics":"la"}`, 400, "action"},
		"an action that is not made":    {http.MethodPost, "?action=song_stem", `{}`, 400, "unknown"},
		"a parameter more":              {http.MethodPost, "?action=song_generate&n=1", `{"lyrics":"la"}`, 400, "only parameter"},
		"a query without an id":         {http.MethodGet, "?action=song_query", "", 400, "task_id"},
		"a query of an unknown task":    {http.MethodGet, "?action=song_query&task_id=1", "", 404, "not exist"},
		"a generation by GET":           {http.MethodGet, "?action=song_generate", "", 405, "POST"},
		"a query by POST":               {http.MethodPost, "?action=song_query&task_id=1", "", 405, "GET"},
		"a model of the platform":       {http.MethodPost, "?action=song_generate", `{"lyrics":"la","model":"mureka-9"}`, 400, "model"},
		"a stream":                      {http.MethodPost, "?action=song_generate", `{"lyrics":"la","stream":false}`, 400, "stream"},
		"no lyrics":                     {http.MethodPost, "?action=song_generate", `{"prompt":"a"}`, 400, "lyrics"},
		"a duration":                    {http.MethodPost, "?action=song_generate", `{"lyrics":"la","duration":9}`, 400, "duration"},
		"an instrumental by o1":         {http.MethodPost, "?action=instrumental_generate", `{"prompt":"a","model":"mureka-o1"}`, 400, "model"},
		"a failure switched on":         {http.MethodPost, "?action=song_generate", `{"lyrics":"[[fail overload]]"}`, 503, "overloaded"},
		"a want of balance at lyrics":   {http.MethodPost, "?action=lyrics_generate", `{"prompt":"[[fail no_balance]]"}`, 429, "quota"},
		"a query that cannot be parsed": {http.MethodGet, "?action=song_query;x", "", 400, "action"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, flat := range []bool{false, true} {
				b := start(t)
				b.sim.FlattenErrors(flat)
				status := tc.status
				if flat {
					status = http.StatusOK
				}
				r := b.send(tc.method, skyworkPath+tc.query, tc.body)
				b.want(r, status, tc.says)
				if gjson.Get(r.body, "code").Int() != int64(tc.status) || r.get("message") == "" || r.get("trace_id") == "" {
					t.Errorf("the envelope is %s", r.body)
				}
				b.wantSongs(0)
			}
		})
	}
	b := start(t)
	b.want(b.send(http.MethodPost, skyworkPath+"?action=song_generate", `{"lyrics":"la"}`, "Authorization", "Bearer x"), 401, `"code":401`)
}
