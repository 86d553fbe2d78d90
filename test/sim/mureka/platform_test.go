package mureka

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	songs         = "/v1/song/generate"
	instrumentals = "/v1/instrumental/generate"
)

func TestSong(t *testing.T) {
	b := start(t)
	r := b.post(songs, `{"lyrics":"[Verse]\nold stone bridge\nnew moon\n[Chorus]\nslow water","model":"mureka-o1","n":1,"prompt":"folk"}`)
	id := r.get("id")
	if r.status != http.StatusOK || r.get("status") != "preparing" || r.get("created_at") != "1790000000" || r.get("model") != "mureka-o1" ||
		gjson.Get(r.body, "id").Type != gjson.String || gjson.Get(r.body, "choices").Exists() || gjson.Get(r.body, "finished_at").Exists() {
		t.Fatalf("generate = %d %s", r.status, r.body)
	}
	for _, status := range []string{"queued", "running"} {
		if r := b.get("/v1/song/query/" + id); r.get("status") != status || gjson.Get(r.body, "choices.0").Exists() {
			t.Errorf("poll = %d %s, want %s", r.status, r.body, status)
		}
		b.clock.advance(time.Second)
	}
	r = b.get("/v1/song/query/" + id)
	choice := gjson.Get(r.body, "choices.0")
	if r.get("status") != "succeeded" || r.get("finished_at") != "1790000002" || r.get("choices.#") != "1" || choice.Get("id").Str == "" {
		t.Errorf("in the end the task is %s", r.body)
	}
	b.wantFile(choice.Get("url").Str, "\xff\xfb")
	b.wantFile(choice.Get("flac_url").Str, "fLaC")
	if again := b.get("/v1/song/query/" + id); again.get("choices.0.url") != choice.Get("url").Str {
		t.Errorf("a second poll has another file: %s", again.body)
	}
	want := []studio.Charge{{ID: id, Kind: studio.Music, Model: "mureka-o1", Units: 1}}
	if diff := cmp.Diff(want, b.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	if e := b.sim.Ledger()[0]; e.Model != "mureka-o1" || e.Status != http.StatusOK || e.Leak {
		t.Errorf("the ledger has %+v", e)
	}
}

func TestSong_lengthAndTimesAreInMilliseconds(t *testing.T) {
	b := start(t)
	id := b.post(songs, `{"lyrics":"one two\n\n[Chorus]\nthree\n  \n[Solo]\nfour\nfive six\n","n":1}`).get("id")
	b.ends()
	choice := gjson.Get(b.get("/v1/song/query/"+id).body, "choices.0")
	mp3 := b.send(http.MethodGet, strings.TrimPrefix(choice.Get("url").Str, b.url), "", "Authorization", "")
	if got := choice.Get("duration").Int(); got != 8028 || len(mp3.body) != 8028/36*576 {
		t.Errorf("duration = %d, the file has %d bytes", got, len(mp3.body))
	}
	got := []string{}
	for _, s := range choice.Get("lyrics_sections").Array() {
		got = append(got, s.Get("section_type").Str+" "+s.Get("start").Raw+" "+s.Get("end").Raw+" "+s.Get("lines.#.text").Raw)
	}
	want := []string{`verse 0 2007 ["one two"]`, `chorus 2007 4014 ["three"]`, `verse 4014 8028 ["four","five six"]`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
	words := choice.Get("lyrics_sections.0.lines.0.words").Raw
	if words != `[{"end":1003,"start":0,"text":"one"},{"end":2007,"start":1003,"text":"two"}]` {
		t.Errorf("words = %s", words)
	}
}

func TestInstrumental(t *testing.T) {
	b := start(t)
	r := b.post(instrumentals, `{"model":"auto","prompt":"rain on a tin roof"}`)
	id := r.get("id")
	if r.status != http.StatusOK || r.get("model") != "mureka-9.5" {
		t.Fatalf("generate = %d %s", r.status, r.body)
	}
	b.wantRefusal(b.get("/v1/song/query/"+id), http.StatusNotFound, "does not exist")
	b.ends()
	r = b.get("/v1/instrumental/query/" + id)
	if r.get("status") != "succeeded" || r.get("choices.#") != "2" || gjson.Get(r.body, "choices.0.lyrics_sections").Exists() {
		t.Errorf("poll = %s", r.body)
	}
	b.wantFile(r.get("choices.1.url"), "\xff\xfb")
	b.wantSongs(2)
}

func TestGenerate_makesAndBillsTwoSongsByDefault(t *testing.T) {
	for n, want := range map[string]int64{"": 2, `,"n":1`: 1, `,"n":2`: 2, `,"n":3`: 3} {
		b := start(t)
		id := b.post(songs, `{"lyrics":"la"`+n+`}`).get("id")
		b.ends()
		if r := b.get("/v1/song/query/" + id); gjson.Get(r.body, "choices.#").Int() != want {
			t.Errorf("n %q: poll = %s, want %d choices", n, r.body, want)
		}
		b.wantSongs(want)
	}
}

func TestGenerate_streams(t *testing.T) {
	b := start(t)
	id := b.post(songs, `{"lyrics":"la","model":"mureka-9","stream":true,"n":1}`).get("id")
	b.clock.advance(time.Second)
	r := b.get("/v1/song/query/" + id)
	if r.get("status") != "streaming" || r.get("choices.0.url") != "" {
		t.Errorf("poll = %s", r.body)
	}
	b.wantFile(r.get("choices.0.stream_url"), "\xff\xfb")
	b.clock.advance(time.Second)
	r = b.get("/v1/song/query/" + id)
	if r.get("status") != "succeeded" || r.get("choices.0.url") == "" || r.get("choices.0.stream_url") == "" {
		t.Errorf("poll = %s", r.body)
	}
}

func TestGenerate_refuses(t *testing.T) {
	with := func(more string) string { return `{"lyrics":"la"` + more + `}` }
	for name, tc := range map[string]struct{ path, body, says string }{
		"broken JSON":                   {songs, `{`, "reading the body"},
		"two documents":                 {songs, with("") + "{}", "reading the body"},
		"no object":                     {songs, `"la"`, "reading the body"},
		"a member twice":                {songs, with(`,"lyrics":"lo"`), "duplicate"},
		"a member in another case":      {songs, `{"Lyrics":"la"}`, "unknown"},
		"a duration":                    {songs, with(`,"duration":120`), "unknown"},
		"a title":                       {songs, with(`,"title":"a"`), "unknown"},
		"a callback":                    {songs, with(`,"callback_url":"https://x.invalid"`), "unknown"},
		"null":                          {songs, with(`,"prompt":null`), "null"},
		"no lyrics":                     {songs, `{"prompt":"folk"}`, "lyrics is required"},
		"empty lyrics":                  {songs, `{"lyrics":""}`, "lyrics is empty"},
		"blank lyrics":                  {songs, `{"lyrics":" \n"}`, "lyrics is empty"},
		"lyrics as a list":              {songs, `{"lyrics":["la"]}`, "lyrics"},
		"long lyrics":                   {songs, `{"lyrics":"` + long(3001) + `"}`, "3000"},
		"a long prompt":                 {songs, with(`,"prompt":"` + long(1025) + `"`), "1024"},
		"an empty prompt":               {songs, with(`,"prompt":""`), "prompt is empty"},
		"n of 0":                        {songs, with(`,"n":0`), "n must be"},
		"n of 4":                        {songs, with(`,"n":4`), "n must be"},
		"n as a string":                 {songs, with(`,"n":"1"`), "reading the body"},
		"n as a fraction":               {songs, with(`,"n":1.5`), "reading the body"},
		"a model of the consumer site":  {songs, with(`,"model":"V8"`), "model"},
		"an old model":                  {songs, with(`,"model":"mureka-5.5"`), "model"},
		"a model of the other door":     {songs, with(`,"model":"mureka-7.5"`), "model"},
		"an empty model":                {songs, with(`,"model":""`), "model"},
		"stream with o1":                {songs, with(`,"model":"mureka-o1","stream":true`), "stream"},
		"stream as a string":            {songs, with(`,"stream":"true"`), "reading the body"},
		"a prompt with a reference":     {songs, with(`,"prompt":"a","reference_id":"1"`), "together"},
		"a prompt with a vocal":         {songs, with(`,"prompt":"a","vocal_id":"1"`), "together"},
		"a prompt with a melody":        {songs, with(`,"prompt":"a","melody_id":"1"`), "together"},
		"a melody with a vocal":         {songs, with(`,"melody_id":"1","vocal_id":"1"`), "together"},
		"a melody with a reference":     {songs, with(`,"melody_id":"1","reference_id":"1"`), "together"},
		"three at once":                 {songs, with(`,"instrumental_id":"1","reference_id":"1","vocal_id":"1"`), "together"},
		"an empty id":                   {songs, with(`,"melody_id":""`), "empty"},
		"an instrumental with words":    {instrumentals, `{"prompt":"a","lyrics":"la"}`, "unknown"},
		"an instrumental with a voice":  {instrumentals, `{"vocal_id":"1"}`, "unknown"},
		"an instrumental of nothing":    {instrumentals, `{}`, "prompt is required"},
		"an instrumental of both":       {instrumentals, `{"prompt":"a","instrumental_id":"1"}`, "together"},
		"an instrumental, streamed":     {instrumentals, `{"prompt":"a","stream":false}`, "stream"},
		"an instrumental by o1":         {instrumentals, `{"prompt":"a","model":"mureka-o1"}`, "model"},
		"an instrumental by o2":         {instrumentals, `{"prompt":"a","model":"mureka-o2"}`, "model"},
		"an instrumental, long":         {instrumentals, `{"prompt":"` + long(1025) + `"}`, "1024"},
		"four instrumentals":            {instrumentals, `{"prompt":"a","n":4}`, "n must be"},
		"lyrics without a prompt":       {"/v1/lyrics/generate", `{}`, "prompt is required"},
		"lyrics with an empty prompt":   {"/v1/lyrics/generate", `{"prompt":""}`, "prompt is required"},
		"lyrics with a long prompt":     {"/v1/lyrics/generate", `{"prompt":"` + long(1025) + `"}`, "1024"},
		"lyrics with a model":           {"/v1/lyrics/generate", `{"prompt":"a","model":"auto"}`, "unknown"},
		"lyrics with broken JSON again": {"/v1/lyrics/generate", `[`, "reading the body"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			b.wantRefusal(b.post(tc.path, tc.body), http.StatusBadRequest, tc.says)
			b.wantSongs(0)
		})
	}
}

func TestGenerate_accepts(t *testing.T) {
	for name, tc := range map[string]struct{ path, body, model string }{
		"lyrics alone":            {songs, `{"lyrics":"la"}`, "mureka-9.5"},
		"as long as may be":       {songs, `{"lyrics":"` + long(3000) + `"}`, "mureka-9.5"},
		"a melody":                {songs, `{"lyrics":"la","melody_id":"1","model":"mureka-8"}`, "mureka-8"},
		"a reference and a vocal": {songs, `{"lyrics":"la","reference_id":"1","vocal_id":"2","model":"mureka-o2"}`, "mureka-o2"},
		"o1 without a stream":     {songs, `{"lyrics":"la","model":"mureka-o1","stream":false}`, "mureka-o1"},
		"an uploaded one":         {instrumentals, `{"instrumental_id":"1","model":"mureka-7.6"}`, "mureka-7.6"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			if r := b.post(tc.path, tc.body); r.status != http.StatusOK || r.get("model") != tc.model {
				t.Errorf("= %d %s, want %s", r.status, r.body, tc.model)
			}
		})
	}
}

func TestTreatO1(t *testing.T) {
	b := start(t)
	const body = `{"lyrics":"la","model":"mureka-o1"}`
	b.sim.TreatO1(O1Refused)
	b.wantRefusal(b.post(songs, body), http.StatusBadRequest, "mureka-o1")
	b.want(b.post(skyworkPath+"?action=song_generate", body), http.StatusOK, "mureka-o1")
	b.ends()
	b.sim.TreatO1(O1Aliased)
	b.want(b.post(songs, body), http.StatusOK, `"model":"mureka-o2"`)
}

func TestLyrics(t *testing.T) {
	b := start(t)
	r := b.post("/v1/lyrics/generate", `{"prompt":"a city at night"}`)
	if r.status != http.StatusOK || r.get("title") == "" || !strings.HasPrefix(r.get("lyrics"), "[Verse]\n") {
		t.Fatalf("lyrics = %d %s", r.status, r.body)
	}
	charges := b.sim.Charges()
	if len(charges) != 1 || charges[0].Kind != Lyrics || charges[0].Units != 1 {
		t.Errorf("charges = %v", charges)
	}
	body := `{"lyrics":` + gjson.Get(r.body, "lyrics").Raw + `,"n":1}`
	b.want(b.post(songs, body), http.StatusOK, "preparing")
}

func TestBilling(t *testing.T) {
	b := start(t)
	b.sim.LimitConcurrency(5)
	b.post("/v1/lyrics/generate", `{"prompt":"a"}`)
	b.post(songs, `{"lyrics":"la"}`)
	b.ends()
	want := map[string]any{"account_id": 1001.0, "balance": 2990.0, "total_recharge": 3000.0, "total_spending": 9.0,
		"concurrent_request_limit": 5.0}
	if diff := cmp.Diff(want, gjson.Parse(b.get("/v1/account/billing").body).Value()); diff != "" {
		t.Errorf("billing (-want +got):\n%s", diff)
	}
	b.sim.FailNext(1, studio.NoBalance)
	b.wantRefusal(b.post(songs, `{"lyrics":"la"}`), http.StatusTooManyRequests, "quota")
	b.want(b.get("/v1/account/billing"), http.StatusOK, `"balance":0`)
	b.want(b.post(songs, `{"lyrics":"la"}`), http.StatusOK, "")
	b.want(b.get("/v1/account/billing"), http.StatusOK, `"balance":2990`)
	b.sim.FailAlways(studio.NoBalance)
	b.want(b.get("/v1/account/billing"), http.StatusOK, `"balance":0`)
	b.sim.FailAlways(studio.RateLimit)
	b.wantRefusal(b.get("/v1/account/billing"), http.StatusTooManyRequests, "slow down")
}

func TestPlatform_credentialsMethodsAndPaths(t *testing.T) {
	b := start(t)
	for _, value := range []string{"", "Token " + b.sim.Key(), b.sim.Key(), "Bearer other", "bearer " + b.sim.Key()} {
		for request, body := range map[string]string{
			"POST " + songs: `{"lyrics":"la"}`, "POST " + instrumentals: `{"prompt":"a"}`, "POST /v1/lyrics/generate": `{"prompt":"a"}`,
			"GET /v1/song/query/1": "", "GET /v1/account/billing": "",
		} {
			method, path, _ := strings.Cut(request, " ")
			b.wantRefusal(b.send(method, path, body, "Authorization", value), http.StatusUnauthorized, "API key")
		}
	}
	for request, status := range map[string]int{
		"GET " + songs: 405, "POST /v1/song/query/1": 405, "POST /v1/account/billing": 405, "GET /v1/lyrics/generate": 405,
		"POST /v1/song/generate/": 404, "GET /v1/song/1": 404, "POST /song/generate": 404, "GET /v1/song/query/": 404,
		"POST /v1/track/generate": 404,
		"GET /v1/song/query/1/2":  404, "GET /v1/instrumental/query/1": 404, "GET /v1/lyrics/query/1": 404,
	} {
		method, path, _ := strings.Cut(request, " ")
		b.wantRefusal(b.send(method, path, ""), status, "")
	}
	b.wantRefusal(b.send(http.MethodPost, songs, `{"lyrics":"la"}`, "Content-Type", ""), http.StatusBadRequest, "content type")
	b.sim.AnswerUnknownTasks(http.StatusBadRequest)
	b.wantRefusal(b.get("/v1/song/query/1"), http.StatusBadRequest, "does not exist")
	b.wantSongs(0)
	for path, want := range map[string]bool{
		songs: true, "/v1/instrumental/query/1": true, "/v1/lyrics/generate": true, "/v1/account/billing": true, "/api/v1/music": true,
		"/files/1.mp3": true, "/v1/music_generation": false, "/api/v1/music/x": false, "/v1/account": false,
	} {
		if got := Handles(path); got != want {
			t.Errorf("Handles(%s) = %v", path, got)
		}
	}
}

func TestQuery_writesWhatIsNotThereInThreeWays(t *testing.T) {
	b := start(t)
	b.sim.LimitConcurrency(9)
	got := map[string]bool{}
	for range 9 {
		r := b.get("/v1/song/query/" + b.post(songs, `{"lyrics":"la"}`).get("id"))
		got[gjson.Get(r.body, "choices").Raw+" "+gjson.Get(r.body, "finished_at").Raw] = true
	}
	if diff := cmp.Diff(map[string]bool{" ": true, "null 0": true, "[] ": true}, got); diff != "" {
		t.Errorf("choices and finished_at (-want +got):\n%s", diff)
	}
}
