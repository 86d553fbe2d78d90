package sim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The wanted lines are written by hand from the vendors' documented samples. ID stands for the answer's id, HEAD for the members that
// open each of the vendor's frames. The prompt has 12 bytes, so 3 tokens; "Hi" is 1 token, the reasoning 5.
func TestSimulator_shapes(t *testing.T) {
	const usage = `"usage":{` + hiPlain + `,"prompt_tokens_details":{"cached_tokens":0}}`
	const thought = `"usage":{` + hiThinking + `,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":5}}`
	off := `,"thinking":{"type":"disabled"}`
	for name, tc := range map[string]struct {
		vendor      Vendor
		model, more string
		head        string
		want        string
	}{
		"OpenAI without include_usage has no usage at all": {OpenAI, "m", streamed, `"id":"ID","object":"chat.completion.chunk","created":7,"model":"m"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}
data: [DONE]`},
		"OpenAI sends usage in a chunk of its own": {OpenAI, "m", withUsage, `"id":"ID","object":"chat.completion.chunk","created":7,"model":"m"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],"usage":null}
data: {HEAD,"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}
data: {HEAD,"choices":[],` + usage + `}
data: [DONE]`},
		"DeepSeek: comment first, null pairs, usage beside the finish reason": {DeepSeek, "deepseek-flash", withUsage,
			`"id":"ID","object":"chat.completion.chunk","created":7,"model":"deepseek-flash","system_fingerprint":"fp_eaab8d114b_prod0820_fp8_kvcache"`, `
: keep-alive
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":""},"logprobs":null,"finish_reason":null}],"usage":null}
data: {HEAD,"choices":[{"index":0,"delta":{"reasoning_content":"Let me ","content":null},"logprobs":null,"finish_reason":null}],"usage":null}
data: {HEAD,"choices":[{"index":0,"delta":{"reasoning_content":"think 思考","content":null},"logprobs":null,"finish_reason":null}],"usage":null}
data: {HEAD,"choices":[{"index":0,"delta":{"reasoning_content":".","content":null},"logprobs":null,"finish_reason":null}],"usage":null}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi","reasoning_content":null},"logprobs":null,"finish_reason":null}],"usage":null}
data: {HEAD,"choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop"}],` + strings.TrimSuffix(thought, "}") + `,"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":3}}
data: [DONE]`},
		"Qwen: own key order, a bare choice, usage apart": {Qwen, "qwen3-max", withUsage, `"object":"chat.completion.chunk"`, `
data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],HEAD,"usage":null,"created":7,"system_fingerprint":null,"model":"qwen3-max","id":"ID"}
data: {"choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],HEAD,"usage":null,"created":7,"system_fingerprint":null,"model":"qwen3-max","id":"ID"}
data: {"choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop"}],HEAD,"usage":null,"created":7,"system_fingerprint":null,"model":"qwen3-max","id":"ID"}
data: {"choices":[],HEAD,` + usage + `,"created":7,"system_fingerprint":null,"model":"qwen3-max","id":"ID"}
data: [DONE]`},
		"Kimi: usage in the choice, and again when asked": {Moonshot, "kimi-k2.6", withUsage + off,
			`"id":"ID","object":"chat.completion.chunk","created":7,"model":"kimi-k2.6"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{` + hiPlain + `,"cached_tokens":0,"prompt_tokens_details":{"cached_tokens":0}}}]}
data: {HEAD,"choices":[],"usage":{` + hiPlain + `,"cached_tokens":0,"prompt_tokens_details":{"cached_tokens":0}}}
data: [DONE]`},
		"GLM: role everywhere, no finish_reason until the end": {Zhipu, "glm-5.2", streamed + off,
			`"id":"ID","created":7,"object":"chat.completion.chunk","model":"glm-5.2"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}],` + usage + `}
data: [DONE]`},
		"MiniMax: thoughts in the text, finish with the last text, base_resp and no DONE": {MiniMax, "MiniMax-M3", withUsage + off,
			`"created":7,"model":"MiniMax-M3","object":"chat.completion.chunk"`, `
data: {"id":"ID","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi","name":"MiniMax AI","audio_content":""},"finish_reason":"stop"}],HEAD,"usage":null,"service_tier":"standard","input_sensitive":false,"output_sensitive":false}
data: {"id":"ID","choices":[],HEAD,"usage":{"total_tokens":4,"total_characters":0,"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":0}},"service_tier":"standard","base_resp":{"status_code":0,"status_msg":""}}`},
		"Ark: usage so far in every chunk when asked": {Ark, "seed-1-8-251228", `,"stream":true,"stream_options":{"chunk_include_usage":true}`,
			`"id":"ID","object":"chat.completion.chunk","created":7,"model":"seed-1-8-251228"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":3,"completion_tokens":0,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0}},"service_tier":"default"}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],` + usage + `,"service_tier":"default"}
data: {HEAD,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],` + usage + `,"service_tier":"default"}
data: [DONE]`},
		"Hunyuan's models keep their note": {TokenHub, "hunyuan-role-latest", streamed,
			`"id":"ID","object":"chat.completion.chunk","created":7,"model":"hunyuan-role-latest"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"note":"以上内容为AI生成，不代表开发者立场"}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"note":"以上内容为AI生成，不代表开发者立场"}
data: {HEAD,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"note":"以上内容为AI生成，不代表开发者立场"}
data: [DONE]`},
		"Qianfan: flag in the choice, usage in the last one": {Qianfan, "ernie-4.5-turbo-32k", withUsage,
			`"id":"ID","object":"chat.completion.chunk","created":7,"model":"ernie-4.5-turbo-32k"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"flag":0}]}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null,"flag":0}]}
data: {HEAD,"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop","flag":0}],"usage":{` + hiPlain + `}}
data: [DONE]`},
		"StepFun: flat cached tokens": {StepFun, "step-1-32k", withUsage, `"id":"ID","object":"chat.completion.chunk","created":7,"model":"step-1-32k"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
data: {HEAD,"choices":[],"usage":{` + hiPlain + `,"cached_tokens":0}}
data: [DONE]`},
		"Spark: no blank, code and sid, no finish_reason": {Spark, "4.0Ultra", streamed, `"code":0,"message":"Success","sid":"ID","id":"ID","created":7`, `
data:{HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}
data:{HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":{` + hiPlain + `}}
data:[DONE]`},
		"SiliconFlow: cumulative usage in every chunk": {SiliconFlow, "Qwen/Qwen3-32B", streamed,
			`"id":"ID","object":"chat.completion.chunk","created":7,"model":"Qwen/Qwen3-32B"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":3,"completion_tokens":0,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":""}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],` + usage + `,"system_fingerprint":""}
data: {HEAD,"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],` + usage + `,"system_fingerprint":""}
data: [DONE]`},
		"Baichuan: usage in the last chunk": {Baichuan, "Baichuan4", streamed, `"id":"ID","object":"chat.completion.chunk","created":7,"model":"Baichuan4"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":{` + hiPlain + `}}
data: [DONE]`},
		"Yi: lastOne marks the end": {Yi, "yi-large", streamed, `"id":"ID","object":"chat.completion.chunk","created":7,"model":"yi-large"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"lastOne":false}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"lastOne":false}
data: {HEAD,"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{` + hiPlain + `},"lastOne":true}
data: [DONE]`},
		"MiMo: reasoning before content": {MiMo, "mimo-v2.5", withUsage, `"id":"ID","object":"chat.completion.chunk","created":7,"model":"mimo-v2.5"`, `
data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":""},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{"reasoning_content":"Let me ","content":null},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{"reasoning_content":"think 思考","content":null},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{"reasoning_content":".","content":null},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{"content":"Hi","reasoning_content":null},"finish_reason":null}]}
data: {HEAD,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
data: {HEAD,"choices":[],` + thought + `}
data: [DONE]`},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, tc.vendor, Options{})
			got := b.ask(chat(tc.model, "[[echo Hi]].", tc.more))
			want := strings.ReplaceAll(strings.ReplaceAll(tc.want, "HEAD", tc.head), "ID", b.last().ID)
			want = strings.ReplaceAll(strings.TrimPrefix(want, "\n"), "\n", "\n\n") + "\n\n"
			if diff := cmp.Diff(want, got.body); diff != "" {
				t.Errorf("%d (-want +got):\n%s", got.status, diff)
			}
		})
	}
}

func TestSimulator_wholeReplies(t *testing.T) {
	for name, tc := range map[string]struct {
		vendor      Vendor
		model, more string
		want        string
	}{
		"DeepSeek: blank lines, then JSON":            {DeepSeek, "deepseek-flash", "", "\n\n" + `{"id":"ID","object":"chat.completion","created":7,"model":"deepseek-flash","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","reasoning_content":"Let me think 思考."},"logprobs":null,"finish_reason":"stop"}],"usage":{` + hiThinking + `,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":5},"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":3},"system_fingerprint":"fp_eaab8d114b_prod0820_fp8_kvcache"}`},
		"MiniMax: thoughts inside, base_resp outside": {MiniMax, "MiniMax-M2.5", "", `{"id":"ID","choices":[{"index":0,"message":{"role":"assistant","content":"<think>\nLet me think 思考.\n</think>\n\nHi","name":"MiniMax AI","audio_content":""},"finish_reason":"stop"}],"created":7,"model":"MiniMax-M2.5","object":"chat.completion","usage":{"total_tokens":9,"total_characters":0,"prompt_tokens":3,"completion_tokens":6,"completion_tokens_details":{"reasoning_tokens":5},"prompt_tokens_details":{"cached_tokens":0}},"service_tier":"standard","input_sensitive":false,"output_sensitive":false,"input_sensitive_type":0,"output_sensitive_type":0,"output_sensitive_int":0,"base_resp":{"status_code":0,"status_msg":""}}`},
		"Spark: not a chat.completion at all":         {Spark, "x1", `,"thinking":{"type":"disabled"}`, `{"code":0,"message":"Success","sid":"ID","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"}}],"usage":{` + hiPlain + `}}`},
		"GLM: the request id in the body":             {Zhipu, "glm-4.6", `,"thinking":{"type":"disabled"}`, `{"id":"ID","request_id":"ID","created":7,"object":"chat.completion","model":"glm-4.6","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{` + hiPlain + `,"prompt_tokens_details":{"cached_tokens":0}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, tc.vendor, Options{})
			got := b.ask(chat(tc.model, "[[echo Hi]].", tc.more))
			if diff := cmp.Diff(strings.ReplaceAll(tc.want, "ID", b.last().ID), got.body); diff != "" {
				t.Errorf("%d (-want +got):\n%s", got.status, diff)
			}
		})
	}
}

func TestSimulator_toolCallsInStreams(t *testing.T) {
	for name, tc := range map[string]struct {
		vendor       Vendor
		prompt, more string
		want         []string // in this order
	}{
		"OpenAI names the call once and sends its arguments in pieces": {OpenAI, "[[tools2]]", "", []string{
			`{"tool_calls":[{"index":0,"id":"call_1_0","type":"function","function":{"name":"f","arguments":""}}]}`,
			`{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":\"`, `{"tool_calls":[{"index":1,"id":"call_1_1"`, `"finish_reason":"tool_calls"`}},
		"Qwen repeats the type and an empty id": {Qwen, "[[tool]]", "", []string{
			`[{"index":0,"id":"call_1_0",`, `{"tool_calls":[{"index":0,"id":"","type":"function","function":{"arguments":`}},
		"Kimi leaves the index out": {Moonshot, "[[tool]]", "", []string{`{"tool_calls":[{"id":"f_0","type":"function"`, `{"tool_calls":[{"function":{"arguments":`}},
		"GLM sends a call whole": {Zhipu, "[[tool]]", "", []string{
			`{"role":"assistant","tool_calls":[{"index":0,"id":"call_1_0","type":"function","function":{"name":"f","arguments":"{\"x\":\"杭州 Hangzhou\"}"}}]}`}},
		"GLM streams arguments with tool_stream": {Zhipu, "[[tool]]", `,"tool_stream":true`, []string{`"arguments":""`, `{"index":0,"function":{"arguments":`}},
		"Spark sends an object":                  {Spark, "[[tool]]", "", []string{`"tool_calls":{"index":0,"id":"call_1_0"`}},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, tc.vendor, Options{})
			model := modelOf(b.sim)
			if tc.vendor == Moonshot {
				model = "kimi-k2.7-code"
			}
			got := b.ask(chat(model, tc.prompt, streamed+tools+tc.more))
			rest := got.body
			for _, want := range tc.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("no %s in the rest of\n%s", want, got.body)
				}
				rest = after
			}
		})
	}
}
