package tokenhubmedia

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Codes that requests earn by themselves.
const (
	badParameter = "400001"
	unknownModel = "400004"
	noKey        = "401001"
	wrongKey     = "401002"
)

// problem is a refusal, or the reason why a task failed.
type problem struct{ code, message string }

func refusal(code, format string, args ...any) *problem {
	return &problem{code: code, message: fmt.Sprintf(format, args...)}
}

// invalid refuses a member of the body. Which of 400001 to 400006 stands for what is documented for the unknown model alone.
func invalid(name, format string, args ...any) *problem {
	return refusal(badParameter, "invalid parameter '%s': %s", name, fmt.Sprintf(format, args...))
}

// status is what the code's first three digits say, except that lack of a package or quota is 402.
func (p *problem) status() int {
	if slices.Contains([]string{"401007", "401008", "403004"}, p.code) {
		return http.StatusPaymentRequired
	}
	status, _ := strconv.Atoi(p.code[:3])
	return status
}

// document is the error object. Types other than those of 400, 401, 402, 403, 429, 451 and 502 are not documented.
func (p *problem) document(requestID string) map[string]any {
	kinds := map[int]string{400: "invalid_request_error", 401: "authentication_error", 402: "permission_error", 403: "permission_error",
		429: "rate_limit_error", 451: "content_filter_error",
		500: "internal_error", 502: "upstream_error", 503: "upstream_error", 504: "upstream_error"}
	status := p.status()
	e := map[string]any{"code": p.code, "message": p.message, "message_zh": "请求失败",
		"type": kinds[status], "source": "client", "request_id": requestID}
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusInternalServerError:
		e["source"] = "gateway"
	case status > http.StatusInternalServerError:
		e["source"], e["upstream_code"], e["upstream_status"] = "upstream", "server_error", status
	}
	return e
}

// codes are the documented ones; each is a failure that a test may ask for.
func codes() []string {
	all := []string{"401007", "401008", "451001", "500001", "502001", "503001", "504001"}
	for class, count := range map[string]int{"400": 6, "401": 5, "403": 6, "429": 6} {
		for i := range count {
			all = append(all, fmt.Sprintf("%s%03d", class, i+1))
		}
	}
	return all
}

// failure finds what a mode means here; nil if nothing.
func failure(mode string) *problem {
	general := map[studio.Mode]problem{
		studio.Unauthorized:     {wrongKey, "invalid api key"},
		studio.NoBalance:        {"401007", "endpoint is inactive: FREE_QUOTA_EXHAUSTED"},
		studio.RateLimit:        {"429001", "rate limit exceeded on dimension: rpm"},
		studio.Concurrency:      {"429002", "rate limit exceeded on dimension: concurrency"}, // the code's own meaning is not documented
		studio.Overload:         {"503001", "provider is overloaded"},
		studio.ServerError:      {"502001", "provider returned an error"},
		studio.Moderation:       {"451001", "content was filtered by safety policy"},
		studio.NotOpen:          {"403001", "access denied: the model is not enabled"},
		studio.TaskFailed:       {"500001", "the task failed"},
		studio.ModerationOutput: {"451001", "the result was filtered by safety policy"},
	}
	if p, ok := general[studio.Mode(mode)]; ok {
		return &p
	}
	if slices.Contains(codes(), mode) {
		return refusal(mode, "played by the simulator")
	}
	return nil
}

// call is a request with an id.
type call struct {
	*studio.Visit
	id    string
	rules Rules
	in    values
}

// refuse answers with an error.
func (c *call) refuse(p *problem) {
	c.Entry.Reason = p.code + ": " + p.message
	c.JSON(p.status(), map[string]any{"error": p.document(c.id)})
}

// fate is what becomes of a request that is not refused.
type fate struct {
	mode studio.Mode
	// failure is why the task is going to fail; nil if it is not.
	failure *problem
}

// fails plays the failure that this request is to meet and says whether that was the end of it. The code that a failing task
// reports may follow its mode, as in "[[fail task_failed 504001]]".
func (c *call) fails(prompt string) (f fate, over bool) {
	name, code, _ := strings.Cut(string(c.Mode(prompt)), " ")
	f.mode = studio.Mode(name)
	switch f.mode {
	case "", studio.Lost, studio.TaskSlow, studio.TaskStuck, studio.PartialOutput, studio.NoAudio:
		return f, false
	case studio.TaskFailed, studio.ModerationOutput:
		if code == "" {
			code = name
		}
		f.failure = failure(code)
		return f, f.failure == nil && c.unknown(name+" "+code)
	case studio.Truncated, studio.MidStream: // nothing is streamed here: the nearest is an answer that ends early
		return f, c.Play(studio.Malformed)
	}
	if c.Play(f.mode) {
		return f, true
	}
	p := failure(name)
	if p == nil {
		return f, c.unknown(name)
	}
	c.refuse(p)
	return f, true
}

// unknown makes a mode that does not exist visible, and returns true.
func (c *call) unknown(mode string) bool {
	c.Entry.Reason = "the simulator has no failure " + mode
	c.Text(http.StatusInternalServerError, "text/plain", c.Entry.Reason)
	return true
}

// succeed answers, unless the answer is to be lost.
func (c *call) succeed(f fate, result map[string]any) {
	if f.mode == studio.Lost {
		c.Abort()
	}
	result["request_id"] = c.id
	c.JSON(http.StatusOK, result)
}
