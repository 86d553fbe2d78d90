package providertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// visit makes a step that gets a path, and reads it with a function.
func visit(t *testing.T, address string, read func(*provider.Response) (string, *provider.Step[string], error)) *provider.Step[string] {
	t.Helper()
	req, err := provider.NewRequest(t.Context(), http.MethodGet, address, &provider.Upstream{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &provider.Step[string]{Request: req, Read: read}
}

func TestDo_followsTheSteps(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "at "+r.URL.Path)
	}))
	t.Cleanup(server.Close)
	first := visit(t, server.URL+"/one", func(r *provider.Response) (string, *provider.Step[string], error) {
		if string(r.Body) != "at /one" || r.Status != http.StatusAccepted {
			return "", nil, provider.BadResponse(r.Status, "", string(r.Body))
		}
		return "", visit(t, server.URL+"/two", func(r *provider.Response) (string, *provider.Step[string], error) {
			return "the end " + string(r.Body), nil, nil
		}), nil
	})
	got, err := Do(t, Client(), first)
	if err != nil || got != "the end at /two" {
		t.Errorf("Do() = %q, %v", got, err)
	}
}

func TestDo_doesNotGoOnForEver(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	var again func(*provider.Response) (string, *provider.Step[string], error)
	again = func(*provider.Response) (string, *provider.Step[string], error) {
		return "", visit(t, server.URL, again), nil
	}
	complaints := examine(t, []trial{{"endless", func(tb testing.TB) {
		tb.Helper()
		_, _ = Do(tb, Client(), visit(t, server.URL, again))
	}}, {"none", func(tb testing.TB) {
		tb.Helper()
		_, _ = Do[string](tb, Client(), nil)
	}}}, "endless")
	if !slices.Contains(complaints, "there are more than 8 steps") {
		t.Errorf("complaints = %q", complaints)
	}
}

func TestDo_breaksWithTheConnection(t *testing.T) {
	t.Parallel()
	cases := map[string]http.HandlerFunc{
		"before the answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"within the answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		},
	}
	for name, handler := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			_, err := Do(t, Client(), visit(t, server.URL+"/?sign=s3cr3t", func(*provider.Response) (string, *provider.Step[string], error) {
				t.Error("there is nothing to read")
				return "", nil, nil
			}))
			e, ok := errors.AsType[*provider.Error](err)
			if !ok || e.Class != provider.ClassNetwork || strings.Contains(e.Error(), "s3cr3t") {
				t.Errorf("error = %v, want one of class network that does not tell the address", err)
			}
		})
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		clock  *Clock
		prompt string
		want   provider.TaskStatus
	}{
		"on a clock":      {clock: NewClock(), want: provider.TaskCompleted},
		"in real time":    {want: provider.TaskCompleted},
		"a slow task":     {clock: NewClock(), prompt: directed(studio.TaskSlow), want: provider.TaskCompleted},
		"a task that did": {clock: NewClock(), prompt: directed(studio.TaskFailed), want: provider.TaskFailed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := atelierMedia(atelierAdapter{}, tc.clock)
			r := newRig(t, m)
			submission, err := m.Adapter.Video.SubmitVideo(t.Context(), r.up, &provider.VideoRequest{Prompt: "A lamp" + tc.prompt})
			if err != nil {
				t.Fatal(err)
			}
			task, err := Do(t, Client(), submission.Step)
			if err != nil {
				t.Fatal(err)
			}
			state, err := Await(t, Client(), m.Adapter.Video, r.up, task, tc.clock)
			if err != nil || state.Status != tc.want {
				t.Errorf("Await() = %+v, %v, want %s", state, err, tc.want)
			}
		})
	}
}

func TestAwait_givesUp(t *testing.T) {
	t.Parallel()
	m := atelierMedia(atelierAdapter{}, NewClock())
	r := newRig(t, m)
	m.Studio.Add(&studio.Task{ID: "stuck", Kind: studio.Video, Mode: studio.TaskStuck})
	complaints := examine(t, []trial{{"stuck", func(tb testing.TB) {
		tb.Helper()
		_, _ = Await(tb, Client(), m.Adapter.Video, r.up, provider.Task{ID: "stuck"}, m.Clock)
	}}}, "stuck")
	if !slices.Contains(complaints, "the task has not ended after 10s") {
		t.Errorf("complaints = %q", complaints)
	}
}

func TestSpeak(t *testing.T) {
	t.Parallel()
	m := atelierMedia(atelierAdapter{}, NewClock())
	r := newRig(t, m)
	in := &provider.SpeechRequest{Input: "Good evening.", Voice: "anna", Format: "mp3", Speed: 1}
	audio, usage, err := Speak(t, Client(), m.Adapter.Speech, r.up, in)
	if err != nil || !bytes.Equal(audio, speechSound("mp3")) || usage.Characters != 13 {
		t.Errorf("Speak() = %d bytes, %+v, %v", len(audio), usage, err)
	}
	in.Format = "opus"
	if _, _, err := Speak(t, Client(), m.Adapter.Speech, r.up, in); err == nil {
		t.Error("a format that the vendor has not: no error")
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	c := NewClock()
	before := c.Now()
	c.Advance(time.Hour)
	c.tick(t)
	if got := c.Now().Sub(before); got != time.Hour+pollTick {
		t.Errorf("the clock has moved by %s", got)
	}
}

func TestPrefixes_areAllOfAShortBody(t *testing.T) {
	t.Parallel()
	var got []string
	for p := range prefixes([]byte(`{"a":1} ` + "\n")) {
		got = append(got, string(p))
	}
	want := []string{"", "{", `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`}
	if !slices.Equal(got, want) {
		t.Errorf("prefixes = %q, want %q", got, want)
	}
}

func TestPrefixes_endWhereSomethingEnds(t *testing.T) {
	t.Parallel()
	line := `{"audio":"` + strings.Repeat("A", 1<<20) + `"}` + "\n"
	body := []byte(line + line + line)
	found, n := map[int]bool{}, 0
	for p := range prefixes(body) {
		found[len(p)] = true
		n++
	}
	if !found[len(line)] || !found[2*len(line)] || n > 2*minVariants {
		t.Errorf("%d prefixes, after the first line %v, after the second %v", n, found[len(line)], found[2*len(line)])
	}
}

func TestMutants_touchEveryValue(t *testing.T) {
	t.Parallel()
	body := []byte(`data: {"a":{"b":[1,"x"]},"c":null}` + "\n\ndata: [DONE]\n\n")
	var got []string
	noise := 0
	for what, mutant := range mutants(body) {
		if what == "with bytes changed" {
			noise++
			continue
		}
		if !bytes.HasPrefix(mutant, []byte("data: ")) || !bytes.HasSuffix(mutant, []byte("\n\ndata: [DONE]\n\n")) {
			t.Errorf("%s: %q: the rest has changed", what, mutant)
		}
		got = append(got, what)
	}
	for _, want := range []string{
		"with $ replaced by []", "with $.a replaced by <nil>", "without $.a", "with $.a.b replaced by true", "without $.a.b",
		"with $.a.b[0] replaced by x", "with $.a.b[1] replaced by map[]",
		"with $.c replaced by 1e308", "without $.c", "with a part twice", "without a part",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no mutant %q", want)
		}
	}
	if noise < minVariants/4 {
		t.Errorf("%d mutants of bytes", noise)
	}
}

func TestMutants_areTheSameEachTime(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":[{"b":1}]}`)
	var runs [2]bytes.Buffer
	for i := range runs {
		for what, mutant := range mutants(body) {
			runs[i].WriteString(what)
			runs[i].Write(mutant)
		}
	}
	if !bytes.Equal(runs[0].Bytes(), runs[1].Bytes()) {
		t.Error("two runs differ")
	}
	if !json.Valid(body) || string(body) != `{"a":[{"b":1}]}` {
		t.Errorf("the body has changed: %s", body)
	}
}
