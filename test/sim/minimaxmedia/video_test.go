package minimaxmedia_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/minimaxmedia"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	cat   = `{"model":"MiniMax-Hailuo-02","prompt":"A cat runs."}`
	query = "/v1/query/video_generation?task_id="
	file  = "/v1/files/retrieve?file_id="
	pixel = "data:image/png;base64,iVBORw0KGgo="
)

// clock is a time that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Unix(7, 0).Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(by time.Duration) { c.ahead.Add(int64(by)) }

// film starts a simulator whose tasks take 10 s in the queue and 10 s to run.
func film(t *testing.T) (*bench, *clock) {
	t.Helper()
	c := &clock{}
	return start(t, studio.Options{Step: 10 * time.Second, Now: c.now}), c
}

// submit begins a task and returns its id.
func (b *bench) submit(body string) string {
	b.t.Helper()
	got := b.post(video, body)
	id := got.get("task_id").Str
	if _, err := strconv.ParseUint(id, 10, 64); got.status != http.StatusOK || got.code() != 0 || err != nil {
		b.t.Fatalf("submit = %d %s", got.status, got.body)
	}
	return id
}

func TestVideo_isMadeQueriedAndRetrieved(t *testing.T) {
	b, c := film(t)
	id := b.submit(with(t, cat, "duration", "10", "resolution", `"768P"`))
	for _, want := range []string{"Preparing", "Queueing", "Processing"} {
		got := b.get(query + id)
		if got.get("status").Str != want || got.get("file_id").Str != "" || got.get("task_id").Str != id || got.code() != 0 {
			t.Errorf("= %s, want %s", got.body, want)
		}
		c.advance(6 * time.Second)
	}
	c.advance(2 * time.Second)
	got := b.get(query + id)
	fileID := got.get("file_id").Str
	if got.get("status").Str != "Success" || got.get("video_width").Int() != 1366 || got.get("video_height").Int() != 768 || fileID == "" {
		t.Fatalf("= %s", got.body)
	}
	found := b.get(file + fileID)
	if raw := found.get("file.file_id").Raw; raw != fileID {
		t.Errorf("file.file_id = %s, want the number %s", raw, fileID)
	}
	if rounded := strconv.FormatFloat(found.get("file.file_id").Num, 'f', 0, 64); rounded == fileID {
		t.Errorf("a floating point number holds file_id %s", fileID)
	}
	link := strings.TrimPrefix(found.get("file.download_url").Str, b.url)
	data := b.send(t.Context(), http.MethodGet, link, "", "Authorization", "")
	if data.header.Get("Content-Type") != "video/mp4" || data.body != string(studio.MP4(10*time.Second)) ||
		int64(len(data.body)) != found.get("file.bytes").Int() || found.get("file.created_at").Int() != 27 {
		t.Errorf("%s leads to %d, %d bytes", found.body, data.status, len(data.body))
	}
	if again := b.get(file + fileID).get("file.download_url").Str; again == found.get("file.download_url").Str {
		t.Errorf("the address is the same again: %s", again)
	}
	want := []studio.Charge{{ID: id, Kind: studio.Video, Model: "MiniMax-Hailuo-02", Units: 10}}
	if diff := cmp.Diff(want, b.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
}

func TestVideo_worksBehindAPrefix(t *testing.T) {
	s := minimaxmedia.New(studio.Options{Step: time.Nanosecond})
	server := httptest.NewServer(http.StripPrefix("/minimax", s))
	t.Cleanup(server.Close)
	b := &bench{Simulator: s, t: t, url: server.URL + "/minimax"}
	fileID := b.get(query + b.submit(cat)).get("file_id").Str
	link := b.get(file + fileID).get("file.download_url").Str
	if !strings.HasPrefix(link, b.url+"/files/") {
		t.Fatalf("download_url = %q", link)
	}
	if got := b.send(t.Context(), http.MethodGet, strings.TrimPrefix(link, b.url), "", "Authorization", ""); got.status != http.StatusOK {
		t.Errorf("%s leads to %d", link, got.status)
	}
}

func TestVideo_refuses(t *testing.T) {
	framed := with(t, cat, "first_frame_image", quote(pixel))
	for name, tc := range map[string]struct{ body, says string }{
		"no model":                     {with(t, cat, "model", ""), "model"},
		"the model of the next API":    {with(t, cat, "model", `"MiniMax-H3"`), "model"},
		"no prompt and no picture":     {with(t, cat, "prompt", ""), "prompt"},
		"a long prompt":                {with(t, framed, "prompt", quote(strings.Repeat("猫", 2001))), "2000"},
		"an unknown member":            {with(t, cat, "aspect_ratio", `"16:9"`), "aspect_ratio"},
		"five seconds":                 {with(t, cat, "duration", "5"), "duration"},
		"seconds in a string":          {with(t, cat, "duration", `"6"`), "duration"},
		"720P":                         {with(t, cat, "resolution", `"720P"`), "resolution"},
		"lower case":                   {with(t, cat, "resolution", `"768p"`), "resolution"},
		"ten seconds of 1080P":         {with(t, cat, "resolution", `"1080P"`, "duration", "10"), "1080P"},
		"512P of a text":               {with(t, cat, "resolution", `"512P"`), "first frame"},
		"512P with a last frame":       {with(t, framed, "resolution", `"512P"`, "last_frame_image", quote(pixel)), "512P"},
		"512P on 2.3":                  {with(t, framed, "resolution", `"512P"`, "model", `"MiniMax-Hailuo-2.3"`), "512P"},
		"a last frame alone":           {with(t, cat, "last_frame_image", quote(pixel)), "first frame"},
		"a last frame on 2.3":          {with(t, framed, "model", `"MiniMax-Hailuo-2.3"`, "last_frame_image", quote(pixel)), "last_frame_image"},
		"pretreatment alone":           {with(t, cat, "fast_pretreatment", "true", "prompt_optimizer", "false"), "prompt_optimizer"},
		"bare base64":                  {with(t, cat, "first_frame_image", `"iVBORw0KGgo="`), "first_frame_image"},
		"broken base64":                {with(t, cat, "first_frame_image", `"data:image/png;base64,?"`), "base64"},
		"a picture that is a text":     {with(t, cat, "first_frame_image", `"data:text/plain;base64,aGk="`), "first_frame_image"},
		"a file of somebody's machine": {with(t, cat, "first_frame_image", `"file:///etc/passwd"`), "first_frame_image"},
		"a broken last picture":        {with(t, framed, "last_frame_image", `"x"`), "last_frame_image"},
		"a callback":                   {with(t, cat, "callback_url", `"https://x.invalid"`), "callback_url"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			got := b.post(video, tc.body)
			if got.status != http.StatusOK || got.code() != 2013 || !strings.Contains(got.get("base_resp.status_msg").Str, tc.says) {
				t.Errorf("= %d %s, want 2013 with %q", got.status, got.body, tc.says)
			}
			if got.get("task_id").Str != "" || b.Unfinished() != 0 || b.last().Reason == "" {
				t.Errorf("task_id %q, %d tasks, entry %+v", got.get("task_id").Str, b.Unfinished(), b.last())
			}
		})
	}
}

func TestVideo_accepts(t *testing.T) {
	framed := with(t, cat, "first_frame_image", `"https://x.invalid/a.png"`)
	b := start(t, studio.Options{Step: time.Nanosecond})
	for name, tc := range map[string]struct {
		body          string
		width, height int64
		seconds       int64
	}{
		"a text": {cat, 1366, 768, 6},
		"every member": {with(t, cat, "prompt_optimizer", "true", "fast_pretreatment", "true", "aigc_watermark", "false",
			"duration", "10"), 1366, 768, 10},
		"1080P":                  {with(t, cat, "resolution", `"1080P"`, "duration", "6"), 1920, 1080, 6},
		"512P with a frame":      {with(t, framed, "resolution", `"512P"`, "duration", "10"), 912, 512, 10},
		"a picture without text": {with(t, framed, "prompt", ""), 1366, 768, 6},
		"both frames":            {with(t, framed, "last_frame_image", quote(pixel)), 1366, 768, 6},
		"2.3":                    {with(t, cat, "model", `"MiniMax-Hailuo-2.3"`), 1366, 768, 6},
		"2000 characters":        {with(t, cat, "prompt", quote(strings.Repeat("猫", 2000))), 1366, 768, 6},
	} {
		t.Run(name, func(t *testing.T) {
			id := b.submit(tc.body)
			got := b.get(query + id)
			if got.get("video_width").Int() != tc.width || got.get("video_height").Int() != tc.height {
				t.Errorf("= %s", got.body)
			}
			for _, charge := range b.Charges() {
				if charge.ID == id && charge.Units != tc.seconds {
					t.Errorf("charge = %+v, want %d s", charge, tc.seconds)
				}
			}
		})
	}
}

func TestVideo_knowsOnlyItsOwnTasksAndFiles(t *testing.T) {
	b, c := film(t)
	id := b.submit(cat)
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	fileID := strconv.FormatInt(1<<53+1+2*(n-176843862480000), 10)
	for name, path := range map[string]string{
		"no task": "/v1/query/video_generation", "another task": query + "1", "no file": "/v1/files/retrieve", "another file": file + "1",
		"a file between two": file + strconv.FormatInt(1<<53+2+2*(n-176843862480000), 10), "a word": file + "x",
		"a file too early": file + fileID,
	} {
		if got := b.get(path); got.status != http.StatusOK || got.code() != 2013 {
			t.Errorf("%s = %d %s", name, got.status, got.body)
		}
	}
	c.advance(time.Minute)
	if got := b.get(file + fileID); got.code() != 0 {
		t.Errorf("a finished file = %s", got.body)
	}
	if got := b.send(t.Context(), http.MethodGet, query+id, "", "Authorization", ""); got.code() != 1004 {
		t.Errorf("without key = %s", got.body)
	}
}

func TestVideo_refusesAsToldInside200(t *testing.T) {
	for mode, want := range refusals() {
		b := start(t, studio.Options{})
		b.FailNext(1, mode)
		if got := b.post(video, cat); got.status != http.StatusOK || got.code() != want || b.Unfinished() != 0 || b.last().Reason == "" {
			t.Errorf("%s = %d %s, want %d", mode, got.status, got.body, want)
		}
		id := b.submit(cat)
		b.FailNext(1, mode)
		if got := b.get(query + id); got.status != http.StatusOK || got.code() != want || got.get("status").Exists() {
			t.Errorf("poll: %s = %d %s, want %d", mode, got.status, got.body, want)
		}
	}
}

func TestVideo_aRefusalHasAnEmptyTaskIDOrNone(t *testing.T) {
	b := start(t, studio.Options{})
	first, second := b.post(video, "{}").get("task_id"), b.post(video, "{}").get("task_id")
	if !first.Exists() || first.Str != "" || second.Exists() {
		t.Errorf("task_id = %q, then %q", first.Raw, second.Raw)
	}
}

func TestVideo_tasksGoWrong(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		status string
		code   int64
	}{
		studio.TaskFailed: {"Fail", 1000}, studio.ModerationOutput: {"Fail", 1027}, studio.TaskSlow: {"Queueing", 0},
		studio.TaskStuck: {"Processing", 0},
	} {
		t.Run(string(mode), func(t *testing.T) {
			b, c := film(t)
			id := b.submit(with(t, cat, "prompt", quote("A cat runs. [[fail "+string(mode)+"]]")))
			c.advance(300 * time.Second)
			got := b.get(query + id)
			if got.status != http.StatusOK || got.get("status").Str != tc.status || got.code() != tc.code || got.get("file_id").Str != "" {
				t.Errorf("= %s", got.body)
			}
			if len(b.Charges()) != 0 {
				t.Errorf("charges = %v", b.Charges())
			}
			if again := b.get(query + id); again.get("status").Str != tc.status {
				t.Errorf("again = %s", again.body)
			}
		})
	}
}

func TestVideo_answersThatGoAstray(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		status, tasks int
		err           bool
	}{
		studio.Lost: {0, 1, true}, studio.Drop: {0, 0, true}, studio.Truncated: {200, 1, false}, studio.PartialOutput: {200, 1, false},
		studio.Malformed: {200, 0, false}, "odd_hex": {200, 0, false}, studio.HTML: {504, 0, false}, studio.Empty: {200, 0, false},
		studio.Redirect: {307, 0, false}, "no such mode": {501, 0, false},
	} {
		t.Run(string(mode), func(t *testing.T) {
			b, _ := film(t)
			b.FailNext(1, mode)
			got := b.post(video, cat)
			if got.status != tc.status || (got.err != nil) != tc.err || b.Unfinished() != tc.tasks || gjson.Valid(got.body) {
				t.Errorf("= %+v with %d tasks", got, b.Unfinished())
			}
		})
	}
	b, _ := film(t)
	b.FailNext(1, studio.NoAudio)
	if got := b.post(video, cat); got.code() != 0 || got.get("task_id").Raw != `""` || b.Unfinished() != 0 {
		t.Errorf("no_audio = %s", got.body)
	}
	b.FailNext(1, studio.MidStream)
	if got := b.post(video, cat); got.code() != 1000 {
		t.Errorf("mid_stream = %s", got.body)
	}
}

func TestVideo_pollsThatGoAstray(t *testing.T) {
	b := start(t, studio.Options{Step: time.Nanosecond})
	id := b.submit(cat)
	fileID := b.get(query + id).get("file_id").Str
	for _, path := range []string{query + id, file + fileID} {
		for mode, want := range map[studio.Mode]int{
			studio.Lost: 0, studio.Truncated: 200, studio.NoAudio: 200, studio.HTML: 504, studio.Malformed: 200,
		} {
			b.FailNext(1, mode)
			if got := b.get(path); got.status != want || gjson.Valid(got.body) {
				t.Errorf("%s: %s = %+v", path, mode, got)
			}
		}
		b.FailNext(1, studio.TaskFailed)
		if got := b.get(path); got.code() != 0 || !gjson.Valid(got.body) {
			t.Errorf("%s: a mode of tasks = %s", path, got.body)
		}
	}
}
