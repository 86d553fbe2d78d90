package sim

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/tidwall/gjson"
)

// rule is one documented constraint of a vendor; it returns nil for a request that keeps it.
type rule func(*request) *problem

func badParam(param, format string, args ...any) *problem {
	return &problem{mode: invalid, param: param, message: fmt.Sprintf(format, args...)}
}

// commonRules hold at every vendor: the ranges of the OpenAI reference, which vendors only narrow.
func commonRules() []rule {
	return []rule{
		within("temperature", 0, 2), within("top_p", 0, 1),
		within("frequency_penalty", -2, 2), within("presence_penalty", -2, 2),
		within("max_tokens", 1, 1<<31), within("max_completion_tokens", 1, 1<<31), within("n", 1, 128),
	}
}

// within refuses a number outside [lo, hi].
func within(param string, lo, hi float64) rule {
	return func(r *request) *problem {
		v := r.at(param)
		if r.has(param) && (v.Type != gjson.Number || v.Num < lo || v.Num > hi) {
			return badParam(param, "Invalid %s value, the valid range of %s is [%g, %g]", param, param, lo, hi)
		}
		return nil
	}
}

// below refuses a number of hi or more.
func below(param string, hi float64) rule {
	return func(r *request) *problem {
		if r.has(param) && r.at(param).Num >= hi {
			return badParam(param, "Range of %s should be less than %g", param, hi)
		}
		return nil
	}
}

// above refuses a number of lo or less.
func above(param string, lo float64) rule {
	return func(r *request) *problem {
		if r.has(param) && r.at(param).Num <= lo {
			return badParam(param, "%s must be greater than %g", param, lo)
		}
		return nil
	}
}

// forbid refuses a parameter that the vendor's reference lacks or rejects.
func forbid(params ...string) rule {
	return func(r *request) *problem {
		for _, param := range params {
			if r.has(param) {
				return badParam(param, "unsupported parameter: %s", param)
			}
		}
		return nil
	}
}

// exclusive refuses two parameters together.
func exclusive(a, b string) rule {
	return func(r *request) *problem {
		if r.has(a) && r.has(b) {
			return badParam(a, "%s and %s cannot be set at the same time", a, b)
		}
		return nil
	}
}

// needs refuses a parameter without another one being true.
func needs(param, other string) rule {
	return func(r *request) *problem {
		if r.has(param) && !r.at(other).Bool() {
			return badParam(param, "%s should be set along with %s = true", param, other)
		}
		return nil
	}
}

// oneOf refuses a string outside the given values.
func oneOf(param string, values ...string) rule {
	return func(r *request) *problem {
		if v := r.at(param); r.has(param) && !slices.Contains(values, v.String()) {
			return badParam(param, "invalid %s %q: expected one of %v", param, v.String(), values)
		}
		return nil
	}
}

// atMost refuses an array of more than n elements.
func atMost(param string, n int) rule {
	return func(r *request) *problem {
		if v := r.at(param); v.IsArray() && len(v.Array()) > n {
			return badParam(param, "%s: at most %d elements", param, n)
		}
		return nil
	}
}

// matches refuses a string that the pattern does not match.
func matches(param, pattern string) rule {
	re := regexp.MustCompile(pattern)
	return func(r *request) *problem {
		if r.has(param) && !re.MatchString(r.at(param).Str) {
			return badParam(param, "%s must match %s", param, pattern)
		}
		return nil
	}
}

// toolNames refuses functions whose name the pattern does not match.
func toolNames(pattern string) rule {
	re := regexp.MustCompile(pattern)
	return func(r *request) *problem {
		for _, tool := range r.tools {
			if name := tool.Get("function.name").Str; tool.Get("type").Str == "function" && !re.MatchString(name) {
				return badParam("tools", "tools: function name %q is invalid", name)
			}
		}
		return nil
	}
}

// noJSONSchema refuses response_format json_schema.
func noJSONSchema(r *request) *problem {
	if r.at("response_format.type").Str == "json_schema" {
		return badParam("response_format", "This response_format type is unavailable now")
	}
	return nil
}

// jsonWord refuses json_object when no message says "json".
func jsonWord(r *request) *problem {
	if r.at("response_format.type").Str == "json_object" && !r.says("json") {
		return badParam("messages", "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.")
	}
	return nil
}

// replays refuses assistant messages without their reasoning_content; an empty string counts as there.
func replays(message string, applies func(r *request, m gjson.Result) bool) rule {
	return func(r *request) *problem {
		if !r.thinking {
			return nil
		}
		for _, m := range r.messages {
			if m.Get("role").Str == "assistant" && applies(r, m) && m.Get("reasoning_content").Type != gjson.String {
				return badParam("messages", "%s", message)
			}
		}
		return nil
	}
}

// thinkingSwitch reads the common switch thinking.type, with the given default.
func thinkingSwitch(byDefault bool) func(*request) bool {
	return func(r *request) bool {
		switch r.at("thinking.type").Str {
		case "enabled", "adaptive", "auto":
			return true
		case "disabled":
			return false
		}
		return byDefault
	}
}

// enableThinking reads the boolean enable_thinking.
func enableThinking(r *request) bool { return r.at("enable_thinking").Bool() }

// asksEffort reports a reasoning_effort other than none.
func asksEffort(r *request) bool {
	return r.has("reasoning_effort") && r.at("reasoning_effort").Str != "none"
}
