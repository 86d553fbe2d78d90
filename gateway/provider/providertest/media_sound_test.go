package providertest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// complains checks what is said of something; "" is nothing.
func complains(t *testing.T, got error, want string) {
	t.Helper()
	if want == "" && got != nil || want != "" && (got == nil || !strings.Contains(got.Error(), want)) {
		t.Errorf("complaint = %v, want %q", got, want)
	}
}

func TestSoundState(t *testing.T) {
	t.Parallel()
	file := provider.TaskFile{URL: "http://a/b", ContentType: "video/mp4"}
	completed := func(f provider.TaskFile) provider.TaskState {
		return provider.TaskState{Status: provider.TaskCompleted, Files: []provider.TaskFile{f}}
	}
	early := completed(file)
	early.Status = provider.TaskInProgress
	cases := map[string]struct {
		state provider.TaskState
		want  string
	}{
		"queued":                       {provider.TaskState{Status: provider.TaskQueued, Progress: -1}, ""},
		"completed":                    {completed(file), ""},
		"failed":                       {provider.TaskState{Status: provider.TaskFailed, Failure: &provider.Error{}}, ""},
		"cancelled with a reason":      {provider.TaskState{Status: provider.TaskCancelled, Failure: &provider.Error{}}, ""},
		"gone":                         {provider.TaskState{Gone: true}, ""},
		"gone with a result":           {provider.TaskState{Gone: true, Files: []provider.TaskFile{file}}, "is gone, and has 1 files"},
		"gone and completed":           {provider.TaskState{Gone: true, Status: provider.TaskCompleted}, "is gone"},
		"no status":                    {provider.TaskState{}, `the status is ""`},
		"the vendor's word":            {provider.TaskState{Status: "SUCCEEDED"}, `the status is "SUCCEEDED"`},
		"files too early":              {early, "in_progress with 1 files"},
		"a failure that goes on":       {provider.TaskState{Status: provider.TaskQueued, Failure: &provider.Error{}}, "has a Failure: true"},
		"more than everything":         {provider.TaskState{Status: provider.TaskQueued, Progress: 101}, "101 percent"},
		"a file without a type":        {completed(provider.TaskFile{URL: "a"}), "file 0 lacks"},
		"a variant instead of results": {completed(provider.TaskFile{URL: "a", ContentType: "b", Variant: "flac"}), `but "flac"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			complains(t, soundState(tc.state), tc.want)
		})
	}
}

func TestSoundTask(t *testing.T) {
	t.Parallel()
	complains(t, soundTask(provider.Task{ID: "a"}), "")
	complains(t, soundTask(provider.Task{State: "a"}), "neither a task nor an error")
	complains(t, soundTask(provider.Task{ID: "a", State: strings.Repeat("b", 5000)}), "5001 bytes")
}

func TestImageAnswer(t *testing.T) {
	t.Parallel()
	one := provider.ImageResult{URL: "http://a/b"}
	both := provider.ImageAnswer{Task: provider.Task{ID: "a"}, Images: []provider.ImageResult{one}}
	cases := map[string]struct {
		answer provider.ImageAnswer
		want   string
	}{
		"a task":                {provider.ImageAnswer{Task: provider.Task{ID: "a"}}, ""},
		"an image":              {provider.ImageAnswer{Images: []provider.ImageResult{one}}, ""},
		"a failure":             {provider.ImageAnswer{Images: []provider.ImageResult{one, {Failure: &provider.Error{}}}}, ""},
		"nothing":               {provider.ImageAnswer{}, "neither an image nor a task"},
		"a task and an image":   {both, "1 images beside a task"},
		"an image twice":        {provider.ImageAnswer{Images: []provider.ImageResult{{URL: "a", Base64: "b"}}}, "has 2 of"},
		"an image of nothing":   {provider.ImageAnswer{Images: []provider.ImageResult{{Size: "1x1"}}}, "has 0 of"},
		"an image in the past":  {provider.ImageAnswer{Images: []provider.ImageResult{{URL: "a", Lifetime: -time.Second}}}, "lives -1s"},
		"a failure with a file": {provider.ImageAnswer{Images: []provider.ImageResult{{URL: "a", Failure: &provider.Error{}}}}, "has 2 of"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			complains(t, imageAnswer(tc.answer), tc.want)
		})
	}
}

func TestWrongSize(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		size          string
		width, height int
		sketch        bool
		want          string
	}{
		"told":                        {"32x16", 32, 16, false, ""},
		"not told":                    {"", 32, 16, false, ""},
		"another":                     {"64x32", 32, 16, false, "and it is 32x16"},
		"the vendor's form":           {"32*16", 32, 16, false, "want WIDTHxHEIGHT"},
		"with something behind":       {"32x16px", 32, 16, false, "want WIDTHxHEIGHT"},
		"a sketch":                    {"2048x1024", 32, 16, true, ""},
		"a sketch that lost a pixel":  {"2560x1440", 100, 56, true, ""},
		"a sketch of something else":  {"1440x2560", 100, 56, true, "and it is 100x56"},
		"a sketch of something alike": {"2048x1024", 36, 16, true, "and it is 36x16"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			complains(t, wrongSize(tc.size, tc.width, tc.height, tc.sketch), tc.want)
		})
	}
}

func TestSounds(t *testing.T) {
	t.Parallel()
	wav := studio.WAV(8000, 100*time.Millisecond)
	cases := map[string]struct {
		format string
		audio  []byte
		want   string
	}{
		"mp3":                   {"mp3", studio.MP3(time.Second), ""},
		"mp3 with a tag":        {"mp3", []byte("ID3\x04 and so on"), ""},
		"wav for mp3":           {"mp3", wav, "no MP3"},
		"wav":                   {"wav", wav, ""},
		"wav of unknown length": {"wav", slices.Concat(wav[:4], []byte{0xff, 0xff, 0xff, 0xff}, wav[8:]), ""},
		"pcm for wav":           {"wav", studio.PCM(8000, time.Second), "no WAV"},
		"two headers":           {"wav", slices.Concat(wav, wav), "a second header"},
		"wav that is cut off":   {"wav", wav[:len(wav)-2], "its header tells"},
		"pcm":                   {"pcm", studio.PCM(8000, time.Second), ""},
		"wav for pcm":           {"pcm", wav, "no PCM"},
		"half a sample":         {"pcm", []byte{1}, "no PCM"},
		"what nobody looks at":  {"opus", []byte("anything"), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			complains(t, sounds(tc.format, tc.audio), tc.want)
		})
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	r := newRig(t, atelierMedia(atelierAdapter{}, NewClock()))
	cases := map[string]struct {
		err  error
		want string
	}{
		"lawful":                       {&provider.Error{Status: 400, Message: "no", RetryAfter: time.Second}, ""},
		"who it was":                   {&provider.Error{Status: 400, Message: "no " + atelierApp}, ""},
		"something else":               {errors.New("no"), "no *provider.Error"},
		"nothing":                      {(*provider.Error)(nil), "a nil *provider.Error"},
		"another status":               {&provider.Error{Status: 500}, "Status is 500, want 400"},
		"a class that there is not":    {&provider.Error{Status: 400, Class: 99}, "class is 99"},
		"a long message":               {&provider.Error{Status: 400, Message: strings.Repeat("a", 1025)}, "1025 bytes"},
		"a time in the past":           {&provider.Error{Status: 400, RetryAfter: -1}, "RetryAfter is -1ns"},
		"a secret in the message":      {&provider.Error{Status: 400, Message: atelierKey}, `["key-id"]`},
		"a secret in the code":         {&provider.Error{Status: 400, Code: atelierSecret}, `["secret-key"]`},
		"a secret in the cause":        {&provider.Error{Status: 400, Cause: errors.New(atelierKey)}, `["key-id"]`},
		"an encoded secret in the id":  {&provider.Error{Status: 400, RequestID: "a2V5LWlkLW9mLXRoZS1hdGVsaWVy"}, `["key-id"]`},
		"an encoded secret in a param": {&provider.Error{Status: 400, Param: "6b65792d69642d6f662d7468652d6174656c696572"}, `["key-id"]`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			complains(t, r.fault(tc.err, 400), tc.want)
		})
	}
}

func TestStranger_isUnknownToTheVendor(t *testing.T) {
	t.Parallel()
	r := newRig(t, atelierMedia(atelierAdapter{}, NewClock()))
	for _, id := range []string{"task-000001", "task-000002", "nine"} {
		r.m.Studio.Add(&studio.Task{ID: id})
	}
	for id, want := range map[string]string{"task-000001": "task-111112", "nine": "1nine"} {
		if got := r.stranger(t, id); got != want {
			t.Errorf("stranger(%q) = %q, want %q", id, got, want)
		}
	}
}

func TestSuite_checksARefusalOfTheSquare(t *testing.T) {
	t.Parallel()
	m := atelierMedia(atelierAdapter{}, NewClock())
	m.Without = []string{WithoutSquare}
	complaints := examine(t, imageTrials(newRig(t, m), atelierPictures), "ordinary")
	if !strings.Contains(strings.Join(complaints, "\n"), "1024x1024: no error, want one of class [invalid_request]") {
		t.Errorf("complaints = %q", complaints)
	}
}

func TestSuite_countsBytesWhereTheVendorDoes(t *testing.T) {
	t.Parallel()
	cases := atelierVoices
	cases.MaxRunes, cases.MaxBytes = 0, maxSpoken
	complaints := examine(t, speechTrials(newRig(t, atelierMedia(atelierAdapter{}, NewClock())), cases), "long text")
	want := "201 bytes of text: no error, want one of class [invalid_request]"
	if len(complaints) != 1 || complaints[0] != want {
		t.Errorf("complaints = %q, want %q: this vendor counts characters", complaints, want)
	}
}
