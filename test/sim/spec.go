package sim

import "net/http"

// spec is everything that tells one vendor from the others.
type spec struct {
	key    string   // default API key, in the vendor's form
	models []string // current models; empty means any
	knows  func(model string) bool
	chat   []string // paths of chat completions
	list   string   // path of the model list; "" means none
	id     string   // format of answer ids, over a counter

	pathFor   func(model string) string
	gate      func(*http.Request) *problem                           // refuses before authentication
	keyHeader string                                                 // an alternative to Authorization
	headers   func(req *http.Request, id string, header http.Header) // response headers of the vendor
	thinks    func(*request) bool                                    // whether the model reasons; nil means never by itself
	rules     []rule                                                 // beside commonRules
	problems  map[Mode]problem                                       // what the vendor says to each kind of failure
	envelope  func(p problem, id string) object                      // the error body
	inband    func(p problem, id string) object                      // an error inside a 200; nil means envelope
	status200 func(p problem) bool                                   // errors that come with HTTP 200
	keepAlive bool                                                   // comments and blank lines while waiting
	badFinish string                                                 // a finish reason that means failure
	badCode   func(code string) problem                              // names an inner code for base_resp_200 and spark_code
	callID    func(n int, seq int64, name string) string             // ids of tool calls
	answerCap bool                                                   // max_tokens limits the answer without its reasoning
	dialect
}

// specs is the registry of vendors.
func specs() map[Vendor]func() spec {
	return map[Vendor]func() spec{
		OpenAI: openai, DeepSeek: deepseek, Qwen: qwen, Moonshot: moonshot, Zhipu: zhipu, MiniMax: minimax, Ark: ark,
		TokenHub: tokenhub, Qianfan: qianfan, StepFun: stepfun, Spark: spark, SiliconFlow: siliconflow, Baichuan: baichuan,
		Yi: yi, MiMo: mimo,
	}
}
