package sim

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSimulator_refusalsInEachVendorsWords(t *testing.T) {
	type words map[Mode]string // status and a piece of the body
	for vendor, modes := range map[Vendor]words{
		DeepSeek: {NoBalance: `402 {"error":{"message":"Insufficient Balance (request_id: `, Moderation: "400 Content Exists Risk", RateLimit: "429 ", Overload: "503 "},
		Qwen: {NoBalance: `400 "code":"Arrearage"`, RateLimit: `429 "type":"limit_requests"`, Overload: "503 ModelServingError",
			Moderation: `400 {"error":{"message":"Input data may contain inappropriate content.","type":"data_inspection_failed","param":null,"code":"data_inspection_failed"},"request_id":"`},
		Moonshot: {NoBalance: `429 "type":"exceeded_current_quota_error"`, RateLimit: "429 rate_limit_reached_error", Overload: "429 engine_overloaded_error",
			Moderation: "400 content_filter", ContextLength: "400 exceeded model token limit"},
		Zhipu: {NoBalance: `429 {"error":{"code":"1113"`, RateLimit: `429 {"error":{"code":"1302"`, Overload: `429 {"error":{"code":"1305"`,
			Moderation: `400 {"error":{"code":"1301"`, ServerError: `500 {"error":{"code":"1234"`, ContextLength: "400 1261"},
		MiniMax: {NoBalance: "402 insufficient balance (1008)", Moderation: "422 unprocessable_entity_error", Overload: "529 overloaded_error",
			RateLimit: `429 {"type":"error","error":{"type":"rate_limit_error","message":"rate limit, please retry later (1002)","http_code":"429"},"request_id":"`},
		Ark: {NoBalance: `403 {"error":{"code":"AccountOverdueError"`, Overload: "429 ServerOverloaded", RateLimit: "429 RateLimitExceeded.",
			Moderation: "400 InputTextSensitiveContentDetected"},
		TokenHub: {NoBalance: `402 {"error":{"type":"permission_error","code":"401007"`, Moderation: "451 451001", Overload: `502 "source":"upstream","upstream_code"`,
			RateLimit: "429 429001"},
		Qianfan: {Moderation: "400 unsafe_request", RateLimit: `429 {"error":{"code":"rpm_rate_limit_exceeded"`, ContextLength: "400 tokens_too_long"},
		StepFun: {NoBalance: "402 ", Moderation: "451 ", Overload: "503 "},
		Spark: {NoBalance: `200 {"code":11200,"message":"AppIdNoAuthError:(`, RateLimit: `200 {"code":11202`, Overload: `200 {"code":10008`, Moderation: `200 {"code":10013`,
			Unauthorized: "401 HMAC"},
		SiliconFlow: {NoBalance: `402 {"code":30001,"message":"Sorry, your account balance is insufficient","data":null}`, RateLimit: "429 RPM"},
		Baichuan:    {NoBalance: "429 insufficient_quota"},
		Yi:          {RateLimit: `429 {"code":8,`},
		MiMo:        {NoBalance: "402 ", Moderation: "421 ", Overload: "503 "},
		OpenAI:      {NoBalance: "429 insufficient_quota", RateLimit: "429 rate_limit_exceeded", ServerError: "500 server_error"},
	} {
		b := start(t, vendor, Options{})
		for mode, want := range modes {
			status, piece, _ := strings.Cut(want, " ")
			got := b.ask(chat(modelOf(b.sim), "[[fail "+string(mode)+"]]", streamed))
			if http.StatusText(got.status) == "" && got.status != 529 || status != itoa(got.status) || !strings.Contains(got.body, piece) {
				t.Errorf("%s %s = %d %s, want %s", vendor, mode, got.status, got.body, want)
			}
			waits := got.header.Get("Retry-After") != ""
			if wantWait := vendor == Moonshot && mode == Overload || vendor == OpenAI && mode == RateLimit; waits != wantWait {
				t.Errorf("%s %s: Retry-After present = %v, want %v", vendor, mode, waits, wantWait)
			}
		}
	}
}

func itoa(n int) string { return string(encode(n)) }

func TestSimulator_brokenAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		vendor       Vendor
		mode         Mode
		more         string
		wantStatus   int
		wantCut      bool // the client sees an error of the transport
		want, hasNot string
	}{
		"a cut stream is an error of the transport": {OpenAI, Cut, streamed, 200, true, `"content":"Hello"`, "[DONE]"},
		"a cut can come later":                      {OpenAI, "cut 4", streamed, 200, true, "你好", "世界"},
		"a cut reply too":                           {OpenAI, Cut, "", 200, true, `{"id"`, "usage"},
		"a clean cut looks like an end":             {OpenAI, CutClean, streamed, 200, false, `"content":"Hello"`, "[DONE]"},
		"a clean cut has no finish reason":          {Qwen, CutClean, streamed, 200, false, "choices", `"stop"`},
		"a short stream is cut before its end":      {MiniMax, "cut 50", streamed, 200, true, "世界", "[DONE]"},
		"broken JSON in a line":                     {OpenAI, MalformedSSE, streamed, 200, false, `"content":"bro` + "\n\n", "never"},
		"broken JSON in a reply":                    {OpenAI, MalformedSSE, "", 200, false, `{"id"`, "usage"},
		"garbage with a true content type":          {OpenAI, Garbage, streamed, 200, false, "\x00\xff", "data:"},
		"a proxy's page":                            {Moonshot, HTML504, "", 504, false, "<html>", "error"},
		"a proxy's text":                            {OpenAI, PlainText, "", 500, false, "upstream connect error", "{"},
		"an empty body":                             {OpenAI, Empty, "", 200, false, "", "{"},
		"a redirect":                                {OpenAI, Redirect, "", 307, false, "", "{"},
		"a JSON body for a stream":                  {OpenAI, JSONForStream, streamed, 200, false, `"object":"chat.completion","created"`, "data:"},
		"a huge line":                               {OpenAI, HugeLine, streamed, 200, false, strings.Repeat("lots of it ", 1000), "never"},
		"no connection":                             {OpenAI, Drop, "", 0, true, "", ""},
		"half a header":                             {OpenAI, HalfHeader, "", 0, true, "", ""},
		"a trickle is complete":                     {OpenAI, Slow, streamed, 200, false, "[DONE]", "never"},
		"moderation inside DeepSeek's stream":       {DeepSeek, ModerationStream, streamed, 200, false, `data: {"error":{"message":"Content Exists Risk`, "[DONE]"},
		"MiniMax's base_resp as JSON":               {MiniMax, BaseResp200, "", 200, false, `"choices":null,"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}`, "data:"},
		"MiniMax's base_resp with a chosen code":    {MiniMax, "base_resp_200 1008", "", 200, false, `"status_code":1008`, "data:"},
		"MiniMax's base_resp as the only line":      {MiniMax, BaseResp200, streamed, 200, false, `data: {"id":`, "delta"},
		"Spark's code in the middle":                {Spark, "spark_code 10014", streamed, 200, false, `data:{"code":10014,`, "[DONE]"},
		"Spark's code as the reply":                 {Spark, SparkCode, "", 200, false, `{"code":10013,`, "choices"},
		"another vendor's in-band error":            {Qwen, BaseResp200, "", 200, false, `{"error":{`, "choices"},
		"DeepSeek runs out of machines":             {DeepSeek, BadFinish, streamed, 200, false, `"finish_reason":"insufficient_system_resource"`, `"stop"`},
		"GLM has a network error":                   {Zhipu, BadFinish, "", 200, false, `"finish_reason":"network_error"`, `"stop"`},
		"GLM is sensitive":                          {Zhipu, "bad_finish sensitive", "", 200, false, `"finish_reason":"sensitive"`, `"stop"`},
		"an unknown mode says so":                   {OpenAI, "what", "", 501, false, "what", "{"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, tc.vendor, Options{})
			b.sim.FailNext(1, tc.mode)
			got := b.ask(chat(modelOf(b.sim), "hi", tc.more))
			if got.status != tc.wantStatus || (got.err != nil) != tc.wantCut || !strings.Contains(got.body, tc.want) {
				t.Errorf("= %d %v %.600s\nwant %d with %.100s", got.status, got.err, got.body, tc.wantStatus, tc.want)
			}
			if tc.hasNot != "" && strings.Contains(got.body, tc.hasNot) {
				t.Errorf("the body has %s: %.600s", tc.hasNot, got.body)
			}
			if e := b.last(); e.Mode != tc.mode {
				t.Errorf("the ledger says mode %q", e.Mode)
			}
			if again := b.ask(chat(modelOf(b.sim), "hi", tc.more)); again.status != http.StatusOK || again.err != nil {
				t.Errorf("the next request fails too: %d %v", again.status, again.err)
			}
		})
	}
}

func TestSimulator_everyModeIsPlayedByEveryVendor(t *testing.T) {
	for _, v := range Vendors() {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			b := start(t, v, Options{StallFor: 5 * time.Millisecond})
			for _, mode := range Modes() {
				for _, more := range []string{"", streamed} {
					b.sim.FailAlways(mode)
					got := b.ask(chat(modelOf(b.sim), "hi", more))
					if e := b.last(); e.Mode != mode || got.status == http.StatusNotImplemented {
						t.Errorf("%s: %d, booked as %q", mode, got.status, e.Mode)
					}
				}
			}
			b.sim.Heal()
			if got := b.ask(chat(modelOf(b.sim), "hi", "")); got.status != http.StatusOK {
				t.Errorf("after Heal = %d", got.status)
			}
		})
	}
}

func TestSimulator_stallsEndWhenTheClientLeaves(t *testing.T) {
	for name, tc := range map[string]struct {
		mode     Mode
		wantLine string // "" means that no byte comes
	}{
		"before the first byte": {StallFirst, ""},
		"in the middle":         {StallMid, "data: "},
		"in endless comments":   {CommentsOnly, ": keep-alive"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, OpenAI, Options{})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			if tc.wantLine == "" {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			}
			defer cancel()
			res, err := http.DefaultClient.Do(b.request(ctx, "/v1/chat/completions", chat("m", "[[fail "+string(tc.mode)+"]]", streamed)))
			if tc.wantLine == "" {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("= %v %v, want no answer", res, err)
				}
			} else {
				defer res.Body.Close()
				line, _ := bufio.NewReader(res.Body).ReadString('\n')
				if !strings.HasPrefix(line, tc.wantLine) || b.sim.InFlight() != 1 {
					t.Errorf("line %q, in flight %d", line, b.sim.InFlight())
				}
			}
			cancel()
			if e := b.last(); !e.ClientGone {
				t.Errorf("the ledger misses that the client left: %+v", e)
			}
		})
	}
}

func TestSimulator_failuresQueueBehindDirectivesAndValidity(t *testing.T) {
	b := start(t, OpenAI, Options{})
	b.sim.FailAlways(ServerError)
	b.sim.FailNext(1, RateLimit)
	var got []int
	for _, body := range []string{chat("m", "[[fail moderation]]", ""), `{}`, chat("m", "x", ""), chat("m", "x", "")} {
		got = append(got, b.ask(body).status)
	}
	if diff := cmp.Diff([]int{400, 400, 429, 500}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

func TestServe_endsWithItsContext(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, done := NewServer(Options{}), make(chan error, 1)
	go func() { done <- Serve(ctx, ln, s) }()
	b := &bench{t: t, sim: s.Vendor(Qwen), url: "http://" + ln.Addr().String() + "/qwen"}
	stalled := make(chan reply, 1)
	go func() { stalled <- b.ask(chat("qwen-plus", "[[fail stall_mid]]", streamed)) }()
	if got := b.ask(chat("qwen-plus", "hi", "")); got.status != http.StatusOK {
		t.Errorf("= %d %s", got.status, got.body)
	}
	for deadline := time.Now().Add(5 * time.Second); s.InFlight() == 0 && time.Now().Before(deadline); {
		<-time.After(time.Millisecond)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil || s.InFlight() != 0 {
			t.Errorf("Serve = %v with %d in flight", err, s.InFlight())
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Serve does not end")
	}
	if got := <-stalled; got.err == nil {
		t.Errorf("the stalled request ended well: %d %s", got.status, got.body)
	}
}
