package sim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

// epoch is the injected clock: every answer was created in second 7.
func epoch() time.Time { return time.Unix(7, 0) }

// bench is one simulator behind a real listener.
type bench struct {
	t   *testing.T
	sim *Simulator
	url string
}

func start(t *testing.T, v Vendor, opts Options) *bench {
	t.Helper()
	opts.Now = epoch
	s := New(v, opts)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return &bench{t: t, sim: s, url: server.URL}
}

// reply is what a test looks at.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

func (b *bench) request(ctx context.Context, path, body string, header ...string) *http.Request {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("making a request: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "sim-test")
	req.Header.Set("Authorization", "Bearer "+b.sim.Key())
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Del(header[i])
		if header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	return req
}

func (b *bench) send(req *http.Request) reply {
	b.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, header: res.Header, body: string(body), err: err}
}

// ask posts a chat body to the vendor's own path.
func (b *bench) ask(body string, header ...string) reply {
	b.t.Helper()
	return b.send(b.request(b.t.Context(), b.sim.ChatPath(gjson.Get(body, "model").Str), body, header...))
}

func (b *bench) last() Entry {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
	defer cancel()
	if err := b.sim.WaitIdle(ctx); err != nil {
		b.t.Fatalf("waiting for the simulator: %v", err)
	}
	entries := b.sim.Ledger()
	if len(entries) == 0 {
		b.t.Fatal("the ledger is empty")
	}
	return entries[len(entries)-1]
}

// chat is a body with one user message and more members.
func chat(model, prompt, more string) string {
	return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":%q}]%s}`, model, prompt, more)
}

func modelOf(s *Simulator) string {
	if models := s.Models(); len(models) > 0 {
		return models[0]
	}
	return "any-model"
}

const (
	streamed   = `,"stream":true`
	withUsage  = `,"stream":true,"stream_options":{"include_usage":true}`
	tools      = `,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"x":{}}}}},{"type":"function","function":{"name":"g"}}]`
	hiThinking = `"prompt_tokens":3,"completion_tokens":6,"total_tokens":9`
	hiPlain    = `"prompt_tokens":3,"completion_tokens":1,"total_tokens":4`
)

func TestSimulator_everyVendorAnswersAndLists(t *testing.T) {
	for _, v := range Vendors() {
		t.Run(string(v), func(t *testing.T) {
			b := start(t, v, Options{})
			got := b.ask(chat(modelOf(b.sim), "hi", ""))
			if got.status != http.StatusOK || !strings.Contains(got.body, "Hello! 你好，世界 🌏") {
				t.Fatalf("reply = %d %s", got.status, got.body)
			}
			got = b.ask(chat(modelOf(b.sim), "hi", withUsage))
			if got.status != http.StatusOK || !strings.Contains(got.body, "世界") || !strings.Contains(got.body, `"total_tokens"`) {
				t.Fatalf("stream = %d %s", got.status, got.body)
			}
			if b.sim.spec.list != "" {
				req := b.request(t.Context(), b.sim.spec.list, "")
				req.Method = http.MethodGet
				if got = b.send(req); got.status != http.StatusOK || !gjson.Get(got.body, "data").IsArray() {
					t.Errorf("models = %d %s", got.status, got.body)
				}
			}
			if e := b.last(); len(e.Violations) != 0 || e.Leak {
				t.Errorf("a plain client is booked as violating: %+v", e)
			}
		})
	}
}

func TestSimulator_directives(t *testing.T) {
	content := "choices.0.message.content"
	for name, tc := range map[string]struct {
		vendor       Vendor
		prompt, more string
		path, want   string
	}{
		"echo answers the text":               {OpenAI, "say [[echo ¡Olé 🌏!]]", "", content, "¡Olé 🌏!"},
		"JSON mode wraps the text":            {OpenAI, "json [[echo hi]]", `,"response_format":{"type":"json_object"}`, content, `{"answer":"hi"}`},
		"JSON mode leaves an object alone":    {OpenAI, `json [[echo {"a":1}]]`, `,"response_format":{"type":"json_object"}`, content, `{"a":1}`},
		"n answers several choices":           {OpenAI, "[[echo a]]", `,"n":3`, "choices.#", "3"},
		"n bills each choice":                 {OpenAI, "[[echo a]]", `,"n":3`, "usage.completion_tokens", "3"},
		"a limit cuts the text between runes": {OpenAI, "[[echo 你好你好]]", `,"max_tokens":2`, content, "你好"},
		"a limit is the finish reason":        {OpenAI, "[[echo 你好你好]]", `,"max_tokens":2`, "choices.0.finish_reason", "length"},
		"cached tokens stay within the prompt": {OpenAI, "[[cached 900]]", "", "usage.prompt_tokens_details.cached_tokens",
			"4"},
		"a tool call finishes as one":         {OpenAI, "[[tool]]", tools, "choices.0.finish_reason", "tool_calls"},
		"two calls take two tools":            {OpenAI, "[[tools2]]", tools, "choices.0.message.tool_calls.#.function.name", `["f","g"]`},
		"a call fills the first parameter":    {OpenAI, "[[tool]]", tools, "choices.0.message.tool_calls.0.function.arguments", `{"x":"杭州 Hangzhou"}`},
		"tool_choice names the tool":          {OpenAI, "hi", tools + `,"tool_choice":{"type":"function","function":{"name":"g"}}`, "choices.0.message.tool_calls.0.function.name", "g"},
		"tool_choice none forbids":            {OpenAI, "[[tool]][[echo no]]", tools + `,"tool_choice":"none"`, content, "no"},
		"think makes any vendor reason":       {OpenAI, "[[think]]", "", "choices.0.message.reasoning_content", "Let me think 思考."},
		"Kimi names calls by tool and index":  {Moonshot, "[[tools2]]", tools, "choices.0.message.tool_calls.#.id", `["f_0","g_1"]`},
		"DeepSeek's calls carry an index":     {DeepSeek, "[[tools2]]", tools, "choices.0.message.tool_calls.#.index", `[0,1]`},
		"Spark's calls are an object":         {Spark, "[[tool]]", tools, "choices.0.message.tool_calls.function.name", "f"},
		"Spark's switch makes them a list":    {Spark, "[[tools2]]", tools + `,"tool_calls_switch":true`, "choices.0.message.tool_calls.#", "2"},
		"MiniMax thinks inside the content":   {MiniMax, "[[echo hi]]", "", content, "<think>\nLet me think 思考.\n</think>\n\nhi"},
		"MiniMax splits when asked":           {MiniMax, "[[echo hi]]", `,"reasoning_split":true`, "choices.0.message.reasoning_details.0.text", "Let me think 思考."},
		"StepFun calls reasoning its own way": {StepFun, "hi", "", "choices.0.message.reasoning", "Let me think 思考."},
		"StepFun can follow DeepSeek":         {StepFun, "hi", `,"reasoning_format":"deepseek-style"`, "choices.0.message.reasoning_content", "Let me think 思考."},
		"Ark seals what it thought":           {Ark, "hi", `,"thinking":{"type":"enabled"}`, "choices.0.message.encrypted_content", "sim-enc-doubao-seed-2-1-pro-260628"},
		"Qianfan flags every choice":          {Qianfan, "hi", "", "choices.0.flag", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, tc.vendor, Options{})
			got := b.ask(chat(modelOf(b.sim), tc.prompt, tc.more))
			if diff := cmp.Diff(tc.want, gjson.Get(got.body, tc.path).String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s\n%d %s", tc.path, diff, got.status, got.body)
			}
		})
	}
}

func TestSimulator_toolResultIsAnsweredInText(t *testing.T) {
	b := start(t, OpenAI, Options{})
	got := b.ask(`{"model":"m","messages":[{"role":"user","content":"[[tool]]"},{"role":"assistant","content":null,"tool_calls":[
		{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"18"}]` + tools + `}`)
	if got.status != http.StatusOK || gjson.Get(got.body, "choices.0.finish_reason").Str != "stop" {
		t.Errorf("reply = %d %s", got.status, got.body)
	}
}

func TestSimulator_splitCutsInsideRunesAndEvents(t *testing.T) {
	x := &exchange{split: true}
	b := []byte("data: {\"content\":\"世界\"}\n\n")
	pieces := x.cut(b)
	if len(pieces) < 3 || string(joined(pieces)) != string(b) {
		t.Fatalf("pieces = %q", pieces)
	}
	if first := pieces[0]; first[len(first)-1] != "世"[0] {
		t.Errorf("the first piece ends in %q, not inside a rune", first)
	}
	sim := start(t, OpenAI, Options{})
	whole, split := sim.ask(chat("m", "[[echo 世界]]", streamed)), sim.ask(chat("m", "[[echo 世界]] [[split]]", streamed))
	want := strings.ReplaceAll(whole.body, "sim00000001", "sim00000002")
	if diff := cmp.Diff(want, split.body); diff != "" {
		t.Errorf("split changed the bytes (-want +got):\n%s", diff)
	}
}

func joined(pieces [][]byte) (all []byte) {
	for _, p := range pieces {
		all = append(all, p...)
	}
	return all
}

func TestServer_hostsEveryVendorBelowItsName(t *testing.T) {
	s := NewServer(Options{Now: epoch})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for _, v := range Vendors() {
		b := &bench{t: t, sim: s.Vendor(v), url: server.URL + s.Prefix(v)}
		if got := b.ask(chat(modelOf(b.sim), "hi", "")); got.status != http.StatusOK {
			t.Errorf("%s = %d %s", v, got.status, got.body)
		}
		if got := b.send(b.request(t.Context(), "/"+b.sim.ChatPath(""), "{}")); got.status != http.StatusNotFound {
			t.Errorf("%s: a doubled slash = %d", v, got.status)
		}
	}
	if err := s.WaitIdle(t.Context()); err != nil || s.InFlight() != 0 {
		t.Errorf("WaitIdle = %v, in flight %d", err, s.InFlight())
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(chat("m", "[[fail cut 3]] [[echo x]] [[tool]]", tools)))
	f.Add([]byte(`{"model":"m","messages":[{"role":"tool","content":[{"text":1}]}],"model":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, p := parse(raw, "/")
		if p == nil && (r.model == "" || len(r.messages) == 0) {
			t.Errorf("accepted %q", raw)
		}
	})
}
