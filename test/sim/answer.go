package sim

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// answer is what the model says, before it takes the vendor's form.
type answer struct {
	id        string
	created   int64
	model     string
	reasoning []string
	text      []string
	calls     []call
	finish    string
	copies    int // the request's n
	usage     usage
}

type call struct{ id, name, arguments string }

// usage counts tokens; a token is four bytes, begun ones counted whole.
type usage struct{ prompt, completion, cached, reasoning int }

func tokens(size int) int { return (size + 3) / 4 }

func size(pieces []string) int {
	n := 0
	for _, p := range pieces {
		n += len(p)
	}
	return n
}

// compose makes up the answer to a valid request.
func compose(x *exchange) *answer {
	r, sp := x.r, x.spec
	a := &answer{id: x.entry.ID, created: x.sim.opts.Now().Unix(), model: r.model, finish: "stop", copies: max(1, int(r.at("n").Int()))}
	if r.thinking {
		a.reasoning = []string{"Let me ", "think 思考", "."}
	}
	if a.calls = callsOf(x); len(a.calls) > 0 {
		a.finish = "tool_calls"
	} else {
		a.text = textOf(r, x.sim.opts.Chunks)
	}
	a.usage.reasoning = tokens(size(a.reasoning))
	a.limit(r, sp.answerCap)
	a.usage.prompt = tokens(r.promptBytes)
	a.usage.cached = min(r.cached, a.usage.prompt)
	out := tokens(size(a.text))
	for _, c := range a.calls {
		out += tokens(len(c.name) + len(c.arguments))
	}
	a.usage.completion = a.copies * (a.usage.reasoning + out)
	a.usage.reasoning *= a.copies
	if sp.inlineThought != nil && r.thinking && sp.inlineThought(r) {
		a.text = append(append([]string{"<think>\n"}, a.reasoning...), append([]string{"\n</think>\n\n"}, a.text...)...)
		a.reasoning = nil
	}
	return a
}

// limit cuts the text where the request's token limit ends it.
func (a *answer) limit(r *request, answerCap bool) {
	most, spent := r.at("max_completion_tokens").Int(), int64(a.usage.reasoning)
	if !r.has("max_completion_tokens") {
		most = r.at("max_tokens").Int()
		if answerCap {
			spent = 0
		}
	}
	room := max(most-spent, 1)
	if most == 0 || int64(tokens(size(a.text))) <= room {
		return
	}
	whole := strings.Join(a.text, "")[:room*4]
	for !utf8.ValidString(whole) {
		whole = whole[:len(whole)-1]
	}
	a.text, a.finish = []string{whole}, "length"
}

// textOf returns the answer's text in the pieces in which it is streamed.
func textOf(r *request, chunks int) []string {
	if r.chunks > 0 {
		chunks = r.chunks
	}
	if r.echo != nil {
		return pieces(asked(r, *r.echo), chunks)
	}
	words := []string{"Hello", "! ", "你好", "，世界", " 🌏"}
	if chunks == 0 {
		chunks = len(words)
	}
	text := make([]string, chunks)
	for i := range text {
		text[i] = words[i%len(words)]
	}
	if r.wantsJSON() {
		return pieces(asked(r, strings.Join(text, "")), chunks)
	}
	return text
}

// asked wraps text in a JSON object where the request wants one and text is none.
func asked(r *request, text string) string {
	if r.wantsJSON() && !gjson.Parse(text).IsObject() {
		return string(encode(obj("answer", text)))
	}
	return text
}

// pieces cuts text between runes into n parts, or into parts of four runes when n is 0.
func pieces(text string, n int) []string {
	runes := []rune(text)
	if n == 0 {
		n = max(1, (len(runes)+3)/4)
	}
	parts := make([]string, n)
	for i := range parts {
		parts[i] = string(runes[len(runes)*i/n : len(runes)*(i+1)/n])
	}
	return parts
}

// callsOf returns the tool calls that the prompt or tool_choice asks for.
func callsOf(x *exchange) []call {
	r, wanted := x.r, x.r.calls
	if r.forcesTool() {
		wanted = max(wanted, 1)
	}
	if wanted == 0 || len(r.tools) == 0 || r.afterTool || r.at("tool_choice").Str == "none" {
		return nil
	}
	calls := make([]call, wanted)
	for i := range calls {
		tool := r.tools[i%len(r.tools)]
		if named := r.at("tool_choice.function.name"); named.Exists() {
			for _, t := range r.tools {
				if t.Get("function.name").Str == named.Str {
					tool = t
				}
			}
		}
		name := tool.Get("function.name").Str
		calls[i] = call{id: fmt.Sprintf("call_%d_%d", x.number, i), name: name, arguments: argumentsOf(tool)}
		if x.spec.callID != nil {
			calls[i].id = x.spec.callID(i, x.number, name)
		}
	}
	return calls
}

// argumentsOf fills the first parameter of a tool.
func argumentsOf(tool gjson.Result) string {
	arguments := "{}"
	tool.Get("function.parameters.properties").ForEach(func(key, _ gjson.Result) bool {
		arguments = string(encode(obj(key.Str, "杭州 Hangzhou")))
		return false
	})
	return arguments
}
