package mureka

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestBody(t *testing.T) {
	t.Parallel()
	const (
		platform = "POST https://api.mureka.cn/v1/"
		action   = "POST https://api.skyworkmodel.ai/api/v1/music?action="
	)
	tests := map[string]struct {
		up   *provider.Upstream
		in   provider.MusicRequest
		want string
	}{
		"a song": {
			upstream("mureka-o1"), provider.MusicRequest{Prompt: "synthwave", Lyrics: "[Verse]\non the edge"},
			platform + `song/generate {"lyrics":"[Verse]\non the edge","model":"mureka-o1","n":1,"prompt":"synthwave"}`,
		},
		"a song from lyrics alone": {
			upstream("auto"), provider.MusicRequest{Prompt: " ", Lyrics: "la", N: 3},
			platform + `song/generate {"lyrics":"la","model":"auto","n":3}`,
		},
		"music without a voice": {
			upstream("mureka-9.5"), provider.MusicRequest{Prompt: "a waltz", Instrumental: true, N: 2},
			platform + `instrumental/generate {"model":"mureka-9.5","n":2,"prompt":"a waltz"}`,
		},
		"a song without lyrics begins with lyrics": {
			upstream("mureka-o1"), provider.MusicRequest{Prompt: "a song about the sea", Lyrics: "\n", N: 2},
			platform + `lyrics/generate {"prompt":"a song about the sea"}`,
		},
		"a song at Skywork": {
			skywork("mureka-o1"), provider.MusicRequest{Prompt: "synthwave", Lyrics: "la"},
			action + `song_generate {"lyrics":"la","model":"mureka-o1","n":1,"prompt":"synthwave"}`,
		},
		"music without a voice at Skywork": {
			skywork("mureka-7.5"), provider.MusicRequest{Prompt: "a waltz", Instrumental: true},
			action + `instrumental_generate {"model":"mureka-7.5","n":1,"prompt":"a waltz"}`,
		},
		"lyrics at Skywork": {
			skywork("mureka-o1"), provider.MusicRequest{Prompt: "the sea"}, action + `lyrics_generate {"prompt":"the sea"}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := submit(t, tc.up, tc.in)
			if c := call(t, got.Step.Request); c != tc.want {
				t.Errorf("call = %s\nwant   %s", c, tc.want)
			}
			got.Step.Request, got.Step.Read = nil, nil
			want := &provider.Submission{
				Step: &provider.Step[provider.Task]{Paid: true}, Billing: provider.Billing{Songs: int64(max(tc.in.N, 1))},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("submission (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSongWithoutLyrics(t *testing.T) {
	t.Parallel()
	up := upstream("mureka-o1")
	up.Parameters = provider.Parameters{
		Overrides: []provider.Parameter{{Name: "vocal_id", Value: []byte(`"v1"`)}, {Name: "n", Value: []byte("2")}}, Drop: []string{"prompt"},
	}
	got := submit(t, up, provider.MusicRequest{Prompt: "the sea"})
	if got.Billing.Songs != 2 {
		t.Errorf("billing = %+v, want two songs", got.Billing)
	}
	if c, want := call(t, got.Step.Request), `POST https://api.mureka.cn/v1/lyrics/generate {"prompt":"the sea"}`; c != want {
		t.Errorf("first call = %s, want %s", c, want)
	}
	task, next, err := got.Step.Read(answer(200, `{"title":"Sea","lyrics":"[Verse]\nwaves","trace_id":"t"}`))
	if err != nil || next == nil || task != (provider.Task{}) {
		t.Fatalf("Read() = %+v, %v, %v; want another step", task, next, err)
	}
	const want = `POST https://api.mureka.cn/v1/song/generate {"lyrics":"[Verse]\nwaves","model":"mureka-o1","n":2,"vocal_id":"v1"}`
	if c := call(t, next.Request); c != want || !next.Paid {
		t.Errorf("second call = %s, paid %v; want %s, paid", c, next.Paid, want)
	}
	task, next, err = next.Read(answer(200, `{"id":"43","status":"preparing","model":"mureka-o1"}`))
	if err != nil || next != nil || task != (provider.Task{ID: "43", State: "song"}) {
		t.Errorf("Read() = %+v, %v, %v", task, next, err)
	}
}

func TestLyricsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing": `{"title":"Sea"}`, "an empty text": `{"lyrics":""}`, "blanks": `{"lyrics":" \n"}`, "a list": `{"lyrics":["la"]}`,
		"half an answer": `{"lyrics":"la`, "another's": `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := submit(t, upstream("mureka-o1"), provider.MusicRequest{Prompt: "the sea"})
			_, next, err := got.Step.Read(answer(200, body))
			if e := errorOf(t, err); e.Class != provider.ClassBadResponse || next != nil {
				t.Errorf("error = %v, next %v; want a bad response and no song", e, next)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		parameters provider.Parameters
		songs      int64
		want       string
	}{
		"nothing": {provider.Parameters{}, 3, `{"lyrics":"la","model":"auto","n":3,"prompt":"p"}`},
		"fewer": {
			provider.Parameters{Overrides: []provider.Parameter{{Name: "n", Value: []byte("1")}}}, 1,
			`{"lyrics":"la","model":"auto","n":1,"prompt":"p"}`,
		},
		"as many as the vendor likes": {provider.Parameters{Drop: []string{"n"}}, 2, `{"lyrics":"la","model":"auto","prompt":"p"}`},
		"a number that is none": {
			provider.Parameters{Overrides: []provider.Parameter{{Name: "n", Value: []byte("null")}}}, 2,
			`{"lyrics":"la","model":"auto","n":null,"prompt":"p"}`,
		},
		"lyrics of the admin's": {
			provider.Parameters{Overrides: []provider.Parameter{{Name: "lyrics", Value: []byte(`"lo"`)}}}, 3,
			`{"lyrics":"lo","model":"auto","n":3,"prompt":"p"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream("auto")
			up.Parameters = tc.parameters
			got := submit(t, up, provider.MusicRequest{Prompt: "p", Lyrics: "la", N: 3})
			want := "POST https://api.mureka.cn/v1/song/generate " + tc.want
			if c := call(t, got.Step.Request); c != want || got.Billing.Songs != tc.songs {
				t.Errorf("call = %s, %d songs; want %s, %d", c, got.Billing.Songs, want, tc.songs)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("图", 1024-len("\nLength: about 90 seconds."))
	for name, tc := range map[string]struct {
		in      provider.MusicRequest
		body    string // what is in the first call
		warning string // what is in the one warning
	}{
		"no length": {provider.MusicRequest{Prompt: "p", Lyrics: "la"}, `"prompt":"p"}`, ""},
		"a hint": {
			provider.MusicRequest{Prompt: "p", Lyrics: "la", Duration: 90}, `"prompt":"p\nLength: about 90 seconds."`,
			"added to the prompt as a hint; the length of a song follows",
		},
		"a hint for the lyrics": {provider.MusicRequest{Prompt: "p", Duration: 90}, `{"prompt":"p\nLength: about 90 seconds."}`, "as a hint"},
		"a hint without a voice": {
			provider.MusicRequest{Prompt: "p", Duration: 90, Instrumental: true}, `"prompt":"p\nLength: about 90 seconds."`,
			"as a hint; the model chooses",
		},
		"no prompt": {provider.MusicRequest{Lyrics: "la", Duration: 90}, `"n":1}`, "there is no prompt"},
		"a hint that just fits": {
			provider.MusicRequest{Prompt: full, Lyrics: "la", Duration: 90}, `图\nLength: about 90 seconds."`, "as a hint",
		},
		"a hint that has no room": {provider.MusicRequest{Prompt: full + "图", Lyrics: "la", Duration: 90}, `图图"}`, "has no room"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := submit(t, upstream("mureka-9.5"), tc.in)
			if c := call(t, got.Step.Request); !strings.Contains(c, tc.body) {
				t.Errorf("call = %s, want %s in it", c, tc.body)
			}
			switch {
			case tc.warning == "" && len(got.Warnings) == 0:
			case len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], "duration: ") || !strings.Contains(got.Warnings[0], tc.warning):
				t.Errorf("warnings = %q, want one of duration with %q", got.Warnings, tc.warning)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	type request = provider.MusicRequest
	tests := map[string]struct {
		model   string
		in      provider.MusicRequest
		param   string
		message string // what is in it
	}{
		"nothing to sing":       {"mureka-o1", request{Prompt: " ", N: 1}, "prompt", "a prompt, or lyrics"},
		"nothing to play":       {"auto", request{Instrumental: true, N: 1}, "prompt", "a prompt"},
		"an album":              {"auto", request{Prompt: "p", N: 4}, "n", "1 to 3 songs at a time, not 4"},
		"no song":               {"auto", request{Prompt: "p"}, "n", "1 to 3"},
		"an instrumental of o1": {"mureka-o1", request{Prompt: "p", Instrumental: true, N: 1}, "instrumental", "leave instrumental out"},
		"an instrumental of o2": {"mureka-o2", request{Prompt: "p", Instrumental: true, N: 1}, "instrumental", "leave instrumental out"},
		"a sung instrumental": {
			"auto", request{Prompt: "p", Lyrics: "la", Instrumental: true, N: 1}, "lyrics", "leave out lyrics or instrumental",
		},
		"a prompt without end": {"auto", request{Prompt: strings.Repeat("图", 1025), N: 1}, "prompt", "at most 1024 characters, not 1025"},
		"lyrics without end": {
			"mureka-o1", request{Lyrics: strings.Repeat("图", 3001), N: 1}, "lyrics", "at most 3000 characters, not 3001",
		},
		"lyrics without end for all": {
			"mureka-9.5", request{Lyrics: strings.Repeat("x", 5001), N: 1}, "lyrics", "at most 5000 characters, not 5001",
		},
	}
	for name, tc := range tests {
		for _, up := range []*provider.Upstream{upstream(tc.model), skywork(tc.model)} {
			t.Run(name+"/"+up.Protocol, func(t *testing.T) {
				t.Parallel()
				got, err := Adapter().Music.SubmitMusic(t.Context(), up, &tc.in)
				e := errorOf(t, err)
				if got != nil || e.Class != provider.ClassInvalidRequest || e.Param != tc.param || !strings.Contains(e.Message, tc.message) {
					t.Errorf("%s: %s: %s; want %s and %q", e.Class, e.Param, e.Message, tc.param, tc.message)
				}
			})
		}
	}
	t.Run("newer models may take longer lyrics", func(t *testing.T) {
		t.Parallel()
		submit(t, upstream("mureka-9.5"), request{Lyrics: strings.Repeat("图", 5000)})
	})
}

func TestReadTask(t *testing.T) {
	t.Parallel()
	read := func(body string) (provider.Task, error) {
		got := submit(t, skywork("mureka-7.5"), provider.MusicRequest{Prompt: "p", Instrumental: true})
		task, _, err := got.Step.Read(answer(200, body))
		return task, err
	}
	for name, body := range map[string]string{
		"the platform's": `{"id":"43000000000001","created_at":1,"status":"preparing","trace_id":"t"}`,
		"resp_data":      `{"code":0,"message":"success","resp_data":{"id":"43000000000001","status":"preparing"}}`,
		"data":           `{"code":0,"data":{"id":"43000000000001"}}`,
		"task_id":        `{"code":0,"resp_data":{"task_id":"43000000000001"}}`,
		"both":           `{"code":0,"resp_data":{"id":"43000000000001"},"data":null}`,
		"a number":       `{"code":0,"data":{"task_id":43000000000001}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := provider.Task{ID: "43000000000001", State: "instrumental"}
			if got, err := read(body); err != nil || got != want {
				t.Errorf("Read() = %+v, %v; want %+v", got, err, want)
			}
		})
	}
	for name, body := range map[string]string{
		"no id":                  `{"code":0,"resp_data":{}}`,
		"nothing":                `{}`,
		"an id that leads away":  `{"id":"../x"}`,
		"an id that is too long": `{"id":"` + strings.Repeat("1", 97) + `"}`,
		"an id that is a list":   `{"id":["1"]}`,
		"a list":                 `[]`,
		"half an answer":         `{"id":"1"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(body)
			if e := errorOf(t, err); e.Class != provider.ClassBadResponse || e.Status != 200 {
				t.Errorf("error = %v, want a bad response", e)
			}
		})
	}
}
