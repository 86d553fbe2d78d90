package sim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// request is a parsed chat request.
type request struct {
	members      map[string]gjson.Result
	path, model  string
	stream       bool
	includeUsage bool
	thinking     bool
	messages     []gjson.Result
	tools        []gjson.Result
	promptBytes  int
	afterTool    bool // the dialogue ends with a tool's result
	directives
}

// directives is what the last user message asks of the simulator.
type directives struct {
	echo         *string
	calls        int
	split, think bool
	chunks       int
	cached       int
	fail         Mode
}

// at returns a member by path; only the first segment is a key of the body.
func (r *request) at(path string) gjson.Result {
	head, rest, nested := strings.Cut(path, ".")
	if !nested {
		return r.members[head]
	}
	return r.members[head].Get(rest)
}

// has reports whether a member is there and not null.
func (r *request) has(path string) bool { return r.at(path).Type != gjson.Null }

// parse reads a body as every vendor's server must: valid JSON, one member of each name, a model and messages.
func parse(raw []byte, path string) (*request, *problem) {
	body := gjson.ParseBytes(raw)
	if !gjson.ValidBytes(raw) || !body.IsObject() {
		return nil, &problem{mode: badJSON, message: "expected value at line 1 column 1"}
	}
	r := &request{path: path, members: map[string]gjson.Result{}}
	var p *problem
	body.ForEach(func(key, value gjson.Result) bool {
		if _, twice := r.members[key.Str]; twice {
			p = &problem{mode: badJSON, message: fmt.Sprintf("duplicate field `%s`", key.Str)}
		}
		r.members[key.Str] = value
		return true
	})
	r.model, r.stream = r.at("model").Str, r.at("stream").Bool()
	r.includeUsage = r.at("stream_options.include_usage").Bool()
	r.messages, r.tools = r.at("messages").Array(), r.at("tools").Array()
	if p == nil {
		p = r.shape()
	}
	return r, p
}

// shape checks the two required members and the forms of the rest that no vendor can do without.
func (r *request) shape() *problem {
	if r.at("model").Type != gjson.String || r.model == "" {
		return &problem{mode: missingField, message: "missing field `model`", param: "model"}
	}
	if !r.at("messages").IsArray() || len(r.messages) == 0 {
		return &problem{mode: missingField, message: "missing field `messages`", param: "messages"}
	}
	if stream := r.at("stream"); r.has("stream") && !stream.IsBool() {
		return &problem{mode: badJSON, message: "stream: invalid type, expected a boolean"}
	}
	if r.has("tools") && !r.at("tools").IsArray() {
		return &problem{mode: badJSON, message: "tools: invalid type, expected a sequence"}
	}
	last := ""
	for i, m := range r.messages {
		if text, p := r.message(i, m); p != nil {
			return p
		} else if m.Get("role").Str == "user" {
			last = text
		}
	}
	r.afterTool = r.messages[len(r.messages)-1].Get("role").Str == "tool"
	r.directives = readDirectives(last)
	return nil
}

// message checks one message and returns its text.
func (r *request) message(i int, m gjson.Result) (string, *problem) {
	bad := func(what string) *problem {
		return &problem{mode: missingField, message: fmt.Sprintf("messages[%d]: %s", i, what), param: "messages"}
	}
	content, role := m.Get("content"), m.Get("role").Str
	text := content.String()
	if content.IsArray() {
		text = ""
		for _, part := range content.Array() {
			text += part.Get("text").Str
		}
	}
	if content.Type != gjson.Null {
		r.promptBytes += len(text)
	}
	switch role {
	case "system", "developer", "user", "function":
	case "assistant":
		if content.Type == gjson.Null && !m.Get("tool_calls").Exists() && !m.Get("function_call").Exists() {
			return "", bad("an assistant message needs content or tool_calls")
		}
		return text, nil
	case "tool":
		if id := m.Get("tool_call_id").Str; id == "" || !r.called(i, id) {
			return "", bad("a tool message must answer an earlier tool_call_id")
		}
	default:
		return "", bad(fmt.Sprintf("unknown role %q", role))
	}
	// A system message may only load tools (Kimi).
	if content.Type == gjson.Null && !m.Get("tools").IsArray() || content.IsObject() || content.IsBool() {
		return "", bad("missing field `content`")
	}
	return text, nil
}

// called reports whether a message before i made the tool call id.
func (r *request) called(i int, id string) bool {
	for _, m := range r.messages[:i] {
		for _, call := range m.Get("tool_calls").Array() {
			if call.Get("id").Str == id {
				return true
			}
		}
	}
	return false
}

// says reports whether any message contains the word, in any case.
func (r *request) says(word string) bool {
	for _, m := range r.messages {
		if strings.Contains(strings.ToLower(m.Get("content").Raw), word) {
			return true
		}
	}
	return false
}

// wantsJSON reports whether the answer has to be a JSON object.
func (r *request) wantsJSON() bool {
	kind := r.at("response_format.type").Str
	return kind == "json_object" || kind == "json_schema"
}

// forcesTool reports whether tool_choice names a function or requires some.
func (r *request) forcesTool() bool {
	choice := r.at("tool_choice")
	return choice.Str == "required" || choice.IsObject()
}

func readDirectives(text string) directives {
	var d directives
	for {
		_, rest, found := strings.Cut(text, "[[")
		inner, after, closed := strings.Cut(rest, "]]")
		if !found || !closed {
			return d
		}
		d.read(inner)
		text = after
	}
}

func (d *directives) read(inner string) {
	name, arg, _ := strings.Cut(inner, " ")
	number, _ := strconv.Atoi(strings.TrimSpace(arg))
	switch name {
	case "echo":
		d.echo = &arg
	case "tool":
		d.calls = 1
	case "tools2":
		d.calls = 2
	case "think":
		d.think = true
	case "split":
		d.split = true
	case "chunks":
		d.chunks = number
	case "cached":
		d.cached = number
	case "fail":
		d.fail = Mode(strings.TrimSpace(arg))
	}
}
