package sim

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// history is a dialogue whose assistant turn lacks its reasoning.
func history(model, turn, more string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"` + turn + `},{"role":"user","content":"c"}]` + more + `}`
}

func TestSimulator_refuses(t *testing.T) {
	hi := func(model, more string) string { return chat(model, "hi", more) }
	calls := `,"tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{}"}}]`
	for name, tc := range map[string]struct {
		vendor Vendor
		body   string
		want   int
		says   string
	}{
		"OpenAI: an unfinished body":              {OpenAI, `{"model":"m"`, 400, "invalid_json"},
		"OpenAI: a doubled member":                {OpenAI, hi("m", `,"model":"n"`), 400, "duplicate field"},
		"OpenAI: no messages":                     {OpenAI, `{"model":"m","messages":[]}`, 400, "messages"},
		"OpenAI: an unknown role":                 {OpenAI, `{"model":"m","messages":[{"role":"bot","content":"x"}]}`, 400, "role"},
		"OpenAI: an answer to no tool call":       {OpenAI, `{"model":"m","messages":[{"role":"tool","tool_call_id":"x","content":"x"}]}`, 400, "tool_call_id"},
		"OpenAI: stream_options without stream":   {OpenAI, hi("m", `,"stream_options":{"include_usage":true}`), 400, "stream_options"},
		"OpenAI: stream as a string":              {OpenAI, hi("m", `,"stream":"yes"`), 400, "stream"},
		"OpenAI: top_logprobs alone":              {OpenAI, hi("m", `,"top_logprobs":3`), 400, "logprobs"},
		"OpenAI: too hot":                         {OpenAI, hi("m", `,"temperature":2.1`), 400, "temperature"},
		"DeepSeek: broken JSON in plain text":     {DeepSeek, `{`, 422, "Failed to deserialize the JSON body into the target type: "},
		"DeepSeek: no model in plain text":        {DeepSeek, `{"messages":[]}`, 422, "missing field `model`"},
		"DeepSeek: a retired model":               {DeepSeek, hi("deepseek-chat", ""), 400, `"Model Not Exist (request_id: `},
		"DeepSeek: max_completion_tokens":         {DeepSeek, hi("deepseek-flash", `,"max_completion_tokens":5`), 400, "max_completion_tokens"},
		"DeepSeek: stream_options without stream": {DeepSeek, hi("deepseek-flash", `,"stream_options":{}`), 400, "stream_options"},
		"DeepSeek: a penalty out of range": {DeepSeek, hi("deepseek-flash", `,"frequency_penalty":3`), 400,
			"Invalid frequency_penalty value, the valid range of frequency_penalty is [-2, 2]"},
		"DeepSeek: json_schema":                   {DeepSeek, hi("deepseek-flash", `,"response_format":{"type":"json_schema"}`), 400, "response_format"},
		"DeepSeek: json_object without the word":  {DeepSeek, hi("deepseek-flash", `,"response_format":{"type":"json_object"}`), 400, "json"},
		"DeepSeek: a forced tool while thinking":  {DeepSeek, hi("deepseek-flash", tools+`,"tool_choice":"required"`), 400, "tool_choice"},
		"DeepSeek: strict outside the beta":       {DeepSeek, hi("deepseek-flash", `,"tools":[{"type":"function","function":{"name":"f","strict":true}}]`), 400, "beta"},
		"DeepSeek: lost reasoning beside tools":   {DeepSeek, history("deepseek-flash", "", tools), 400, "must be passed back"},
		"DeepSeek: an unknown effort":             {DeepSeek, hi("deepseek-flash", `,"reasoning_effort":"hard"`), 400, "reasoning_effort"},
		"Qwen: an unknown model":                  {Qwen, hi("qwen9", ""), 404, "model_not_found"},
		"Qwen: thinking where there is none":      {Qwen, hi("qwen3-coder-plus", `,"enable_thinking":false`), 400, "InvalidParameter.NotSupportEnableThinking"},
		"Qwen: a stream-only model":               {Qwen, hi("qwq-plus", ""), 400, "stream"},
		"Qwen: temperature 2":                     {Qwen, hi("qwen3-max", `,"temperature":2`), 400, "temperature"},
		"Qwen: several answers":                   {Qwen, hi("qwen3-max", `,"n":2`), 400, `n must be 1`},
		"Qwen: top_logprobs above 5":              {Qwen, hi("qwen3-max", `,"top_logprobs":6`), 400, "top_logprobs"},
		"Qwen: a negative seed":                   {Qwen, hi("qwen3-max", `,"seed":-1`), 400, "seed"},
		"Qwen: tool_choice required":              {Qwen, hi("qwen3-max", tools+`,"tool_choice":"required"`), 400, "tool_choice"},
		"Qwen: a named tool while thinking":       {Qwen, hi("qwen3.8-max", tools+`,"tool_choice":{"type":"function","function":{"name":"f"}}`), 400, "thinking mode"},
		"Qwen: json_object without the word":      {Qwen, hi("qwen3-max", `,"response_format":{"type":"json_object"}`), 400, "must contain the word 'json' in some form"},
		"Qwen: json_schema on an old model":       {Qwen, hi("qwen3-max", `,"response_format":{"type":"json_schema"}`), 400, "json_schema"},
		"Kimi: an unknown model":                  {Moonshot, hi("moonshot-v1-8k", ""), 404, `{"error":{"type":"resource_not_found_error","message":`},
		"Kimi: its own temperature only":          {Moonshot, hi("kimi-k3", `,"temperature":0.3`), 400, "invalid temperature: only 1 is allowed for this model"},
		"Kimi: k2.6 without thinking has another": {Moonshot, hi("kimi-k2.6", `,"temperature":1,"thinking":{"type":"disabled"}`), 400, "only 0.6 is allowed"},
		"Kimi: top_p":                             {Moonshot, hi("kimi-k3", `,"top_p":1`), 400, "top_p"},
		"Kimi: n":                                 {Moonshot, hi("kimi-k3", `,"n":2`), 400, "only 1 is allowed"},
		"Kimi: k2.7 cannot stop thinking":         {Moonshot, hi("kimi-k2.7-code", `,"thinking":{"type":"disabled"}`), 400, "invalid thinking: only type=enabled is allowed for this model"},
		"Kimi: a required tool while thinking":    {Moonshot, hi("kimi-k2.6", tools+`,"tool_choice":"required"`), 400, "incompatible with thinking enabled"},
		"Kimi: an effort that k3 lacks":           {Moonshot, hi("kimi-k3", `,"reasoning_effort":"medium"`), 400, "reasoning_effort"},
		"Kimi: k3 lost any reasoning":             {Moonshot, history("kimi-k3", "", ""), 400, "reasoning_content is missing"},
		"Kimi: k2.6 lost a tool call's reasoning": {Moonshot, history("kimi-k2.6", calls, ""), 400, "reasoning_content is missing in assistant tool call message"},
		"Kimi: six stops":                         {Moonshot, hi("kimi-k3", `,"stop":["1","2","3","4","5","6"]`), 400, "stop"},
		"Kimi: a bad tool name":                   {Moonshot, hi("kimi-k3", `,"tools":[{"type":"function","function":{"name":"a.b"}}]`), 400, "a.b"},
		"Kimi: an image link":                     {Moonshot, `{"model":"kimi-k3","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x.invalid/a.png"}}]}]}`, 400, "image"},
		"GLM: an unknown model":                   {Zhipu, hi("glm-1", ""), 400, `{"error":{"code":"1211"`},
		"GLM: no messages":                        {Zhipu, `{"model":"glm-5.2"}`, 400, `{"error":{"code":"1213"`},
		"GLM: temperature above 1":                {Zhipu, hi("glm-5.2", `,"temperature":1.5`), 400, `{"error":{"code":"1210"`},
		"GLM: top_p 0":                            {Zhipu, hi("glm-5.2", `,"top_p":0`), 400, "1210"},
		"GLM: tool_choice none":                   {Zhipu, hi("glm-5.2", tools+`,"tool_choice":"none"`), 400, "tool_choice"},
		"GLM: 5.3 cannot stop thinking":           {Zhipu, hi("glm-5.3", `,"thinking":{"type":"disabled"}`), 400, "thinking"},
		"GLM: 5.3 has three efforts":              {Zhipu, hi("glm-5.3", `,"reasoning_effort":"medium"`), 400, "reasoning_effort"},
		"GLM: json_schema":                        {Zhipu, hi("glm-5.2", `,"response_format":{"type":"json_schema"}`), 400, "1210"},
		"GLM: max_completion_tokens":              {Zhipu, hi("glm-5.2", `,"max_completion_tokens":5`), 400, "1210"},
		"MiniMax: model ids in another case":      {MiniMax, hi("minimax-m3", ""), 400, "(2013)"},
		"MiniMax: several answers":                {MiniMax, hi("MiniMax-M3", `,"n":2`), 400, `{"type":"error","error":{"type":"bad_request_error"`},
		"MiniMax: legacy functions":               {MiniMax, hi("MiniMax-M3", `,"function_call":"auto"`), 400, "function_call"},
		"Ark: both limits":                        {Ark, hi("seed-1-8-251228", `,"max_tokens":5,"max_completion_tokens":5`), 400, `{"error":{"code":"InvalidParameter"`},
		"Ark: an unknown endpoint":                {Ark, hi("ep-1", ""), 404, "InvalidEndpointOrModel.NotFound"},
		"Ark: no messages":                        {Ark, `{"model":"seed-1-8-251228"}`, 400, "MissingParameter"},
		"Ark: logprobs":                           {Ark, hi("seed-1-8-251228", `,"logprobs":true`), 400, "logprobs"},
		"Ark: a tampered thought":                 {Ark, history("seed-1-8-251228", `,"encrypted_content":"x"`, ""), 400, "Invalid signature"},
		"TokenHub: a model switched off":          {TokenHub, hi("gpt", ""), 402, `"type":"permission_error"`},
		"TokenHub: no model":                      {TokenHub, `{"messages":[{"role":"user","content":"x"}]}`, 400, `"code":"400001"`},
		"TokenHub: an effort hy4 lacks":           {TokenHub, hi("hy4", `,"reasoning_effort":"max"`), 400, "reasoning_effort"},
		"Qianfan: a model is a 401":               {Qianfan, hi("gpt", ""), 401, `{"error":{"code":"invalid_model"`},
		"Qianfan: broken JSON":                    {Qianfan, `{`, 400, "malformed_json"},
		"StepFun: an unknown model":               {StepFun, hi("gpt", ""), 400, `{"error":{"message":`},
		"Spark: x1 on the old path":               {Spark, hi("x1", ""), 400, "/v2/chat/completions"},
		"Spark: temperature 0":                    {Spark, hi("lite", `,"temperature":0`), 400, `"code":"10005"`},
		"Spark: tools on Lite":                    {Spark, hi("lite", tools), 400, "tools"},
		"SiliconFlow: an unknown model":           {SiliconFlow, hi("gpt", ""), 400, `{"code":20012,"message":"Model does not exist. Please check it carefully.","data":null}`},
		"Baichuan: temperature above 1":           {Baichuan, hi("Baichuan4", `,"temperature":1.5`), 400, "temperature"},
		"Yi: an unknown model":                    {Yi, hi("gpt", ""), 404, `{"code":5,`},
		"MiMo: max_tokens":                        {MiMo, hi("mimo-v2.5", `,"max_tokens":5`), 400, "max_tokens"},
		"MiMo: lost reasoning":                    {MiMo, history("mimo-v2.5", "", ""), 400, "must be passed back"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, tc.vendor, Options{})
			path := b.sim.spec.chat[0]
			got := b.send(b.request(t.Context(), path, tc.body))
			if got.status != tc.want || !strings.Contains(got.body, tc.says) {
				t.Errorf("= %d %s\nwant %d with %s", got.status, got.body, tc.want, tc.says)
			}
			if e := b.last(); e.Reason == "" || e.CompletionTokens != 0 {
				t.Errorf("the ledger has %+v", e)
			}
		})
	}
}

func TestSimulator_accepts(t *testing.T) {
	for name, tc := range map[string]struct {
		vendor Vendor
		body   string
	}{
		"DeepSeek: an empty replayed reasoning":    {DeepSeek, history("deepseek-flash", `,"reasoning_content":""`, tools)},
		"DeepSeek: lost reasoning without tools":   {DeepSeek, history("deepseek-flash", "", "")},
		"DeepSeek: a forced tool without thinking": {DeepSeek, chat("deepseek-flash", "x", tools+`,"tool_choice":"required","thinking":{"type":"disabled"}`)},
		"DeepSeek: json_object with the word":      {DeepSeek, chat("deepseek-flash", "as JSON", `,"response_format":{"type":"json_object"}`)},
		"Qwen: several answers where it may":       {Qwen, chat("qwen-plus", "x", `,"n":2`)},
		"Kimi: the model's own sampling":           {Moonshot, chat("kimi-k3", "x", `,"temperature":1,"top_p":0.95,"n":1,"presence_penalty":0`)},
		"Kimi: k2.6 lost reasoning without calls":  {Moonshot, history("kimi-k2.6", "", "")},
		"Kimi: tools in a system message":          {Moonshot, `{"model":"kimi-k3","messages":[{"role":"system","tools":[]},{"role":"user","content":"x"}]}`},
		"GLM: its plain tool_choice":               {Zhipu, chat("glm-5.2", "x", tools+`,"tool_choice":"auto"`)},
		"Ark: an endpoint id":                      {Ark, chat("ep-20260101120000-abcde", "x", "")},
		"Spark: x1 on its path":                    {Spark, chat("x1", "x", "")},
		"an unknown member":                        {MiniMax, chat("MiniMax-M3", "x", `,"vendor_extra":{"a":1}`)},
		"null for what is not set":                 {Moonshot, chat("kimi-k3", "x", `,"temperature":null,"stop":null,"stream":null,"tools":null`)},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, tc.vendor, Options{})
			if got := b.ask(tc.body); got.status != http.StatusOK {
				t.Errorf("= %d %s", got.status, got.body)
			}
		})
	}
}

func TestSimulator_door(t *testing.T) {
	for name, tc := range map[string]struct {
		vendor Vendor
		path   string // "" means the chat path
		header []string
		want   int
		says   string
	}{
		"DeepSeek: a wrong key":          {DeepSeek, "", []string{"Authorization", "Bearer sk-other"}, 401, `"type":"authentication_error","param":null,"code":"invalid_request_error"`},
		"DeepSeek: no key":               {DeepSeek, "", []string{"Authorization", ""}, 401, "Authentication Fails"},
		"DeepSeek: the key without form": {DeepSeek, "", []string{"Authorization", "sk-sim-deepseek"}, 401, "Authentication Fails"},
		"DeepSeek: another path":         {DeepSeek, "/v1/chat/completions", nil, 404, `{"error":{`},
		"Qwen: a wrong key":              {Qwen, "", []string{"Authorization", "Bearer x"}, 401, `"code":"invalid_api_key"},"request_id":"2655c1fe`},
		"Kimi: no key":                   {Moonshot, "", []string{"Authorization", ""}, 401, "invalid_authentication_error"},
		"Kimi: a wrong key":              {Moonshot, "", []string{"Authorization", "Bearer x"}, 401, "incorrect_api_key_error"},
		"GLM: no key":                    {Zhipu, "", []string{"Authorization", ""}, 401, `{"error":{"code":"1001","message":"Header 中未收到 Authentication 参数，无法进行身份验证"}}`},
		"MiniMax: no key":                {MiniMax, "", []string{"Authorization", ""}, 401, "in the 'Authorization' field of the request header (1004)"},
		"MiniMax: a wrong key":           {MiniMax, "", []string{"Authorization", "Bearer x"}, 401, "invalid api key (2049)"},
		"Ark: a wrong key":               {Ark, "", []string{"Authorization", "Bearer x"}, 401, `"type":"Unauthorized"`},
		"Ark: /v1 appended":              {Ark, "/api/v3/v1/chat/completions", nil, 404, `{"error":{`},
		"TokenHub: a wrong key":          {TokenHub, "", []string{"Authorization", "Bearer x"}, 401, `"code":"401002"`},
		"Qianfan: a wrong key":           {Qianfan, "", []string{"Authorization", "Bearer x"}, 401, "invalid_iam_token"},
		"StepFun: a wrong key":           {StepFun, "", []string{"Authorization", "Bearer x"}, 401, `{"error":{"message":"Incorrect API key provided","type":"invalid_api_key"}}`},
		"Spark: a wrong key":             {Spark, "", []string{"Authorization", "Bearer x"}, 401, `{"message":"HMAC signature cannot be verified"}`},
		"SiliconFlow: a wrong key":       {SiliconFlow, "", []string{"Authorization", "Bearer x"}, 401, `{"code":30014,"message":"Token is invalid.","data":null}`},
		"SiliconFlow: no User-Agent":     {SiliconFlow, "", []string{"User-Agent", ""}, 403, "error code: 1010"},
		"SiliconFlow: Go's User-Agent":   {SiliconFlow, "", []string{"User-Agent", "Go-http-client/1.1"}, 403, "error code: 1010"},
		"MiMo: the key in its header":    {MiMo, "", []string{"Authorization", "", "api-key", "sk-sim-mimo"}, 200, "choices"},
		"MiMo: a wrong key there":        {MiMo, "", []string{"Authorization", "", "api-key", "x"}, 401, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, tc.vendor, Options{})
			path, body := tc.path, chat(modelOf(b.sim), "hi", "")
			if path == "" {
				path = b.sim.ChatPath(modelOf(b.sim))
			}
			req := b.request(t.Context(), path, body, tc.header...)
			if len(tc.header) == 2 && tc.header[0] == "User-Agent" && tc.header[1] == "" {
				req.Header["User-Agent"] = []string{""} // keeps the client from adding its own
			}
			got := b.send(req)
			if got.status != tc.want || !strings.Contains(got.body, tc.says) {
				t.Errorf("= %d %s\nwant %d with %s", got.status, got.body, tc.want, tc.says)
			}
		})
	}
}

func TestSimulator_wrongMethodIsRefused(t *testing.T) {
	for _, v := range Vendors() {
		b := start(t, v, Options{})
		req := b.request(t.Context(), b.sim.ChatPath(""), "")
		req.Method = http.MethodGet
		if got := b.send(req); got.status != http.StatusMethodNotAllowed || !gjson.Valid(got.body) {
			t.Errorf("%s: GET = %d %s", v, got.status, got.body)
		}
	}
}
