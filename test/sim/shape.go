package sim

import (
	"iter"
	"strings"
)

// part says which piece of an answer a frame carries.
type part int

const (
	partReply  part = iota // the whole answer of a call without stream
	partChunk              // a delta
	partFinish             // the delta that ends a choice
	partExtra              // usage alone, with empty choices
)

// place is a set of positions where a stream carries usage.
type place int

const (
	usageFinish place = 1 << iota // top level of the finish chunk
	usageExtra                    // a chunk of its own
	usageChoice                   // inside the choice of the finish chunk
	usageEvery                    // cumulatively in every chunk
)

// askedExtra is OpenAI's own position: an extra chunk if include_usage asks for it.
func askedExtra(r *request) place {
	if r.includeUsage {
		return usageExtra
	}
	return 0
}

func always(*request) bool { return true }

func alwaysFinish(*request) place { return usageFinish }

// finishForm says how an unfinished choice shows that it is one.
type finishForm int

const (
	finishNull   finishForm = iota // "finish_reason":null
	finishAbsent                   // no member until the end
	finishNever                    // no member at all
)

// dialect is how a vendor writes an answer. Nil hooks mean OpenAI's form.
type dialect struct {
	prefix        string // of a data line; "" means "data: "
	noDone        bool   // no [DONE] line ends the stream
	frame         func(a *answer, p part, choices []object, usage any) object
	place         func(r *request) place
	counts        func(r *request, u usage) object
	usageNull     func(r *request) bool // "usage":null in chunks without it; nil means no member
	finish        finishForm
	logprobs      bool // "logprobs":null in every choice
	opening       bool // a first chunk with the role
	roleEach      bool // the role in every delta
	nullPair      bool // content null beside reasoning_content and the reverse
	switchMark    bool // an empty reasoning delta marks the switch to content
	finishInText  bool // the last text delta carries the finish reason
	closing       object
	extra         object // members of every delta and message
	field         func(r *request) string
	inlineThought func(r *request) bool
	thought       func(r *request, m object, text string) object
	emptyIDs      bool // later tool-call deltas repeat type and an empty id
	noIndex       func(r *request) bool
	wholeCalls    func(r *request) bool
	callsValue    func(r *request, calls []object) any
	callIndex     bool // tool calls of a reply carry their index
	choiceExtra   func(r *request, p part, nth int, choice object) object
	messageExtra  func(r *request, m object) object
}

// step is one delta of a stream.
type step struct {
	kind stepKind
	text string
	call int
}

type stepKind int

const (
	stepOpen stepKind = iota
	stepThought
	stepText
	stepCall
	stepArguments
	stepClose
)

// event is one data line and the bytes of model output in it, for billing.
type event struct {
	payload object
	output  int
}

func (d *dialect) plan(r *request, a *answer) []step {
	var steps []step
	if d.opening {
		steps = append(steps, step{kind: stepOpen})
	}
	for _, t := range a.reasoning {
		steps = append(steps, step{kind: stepThought, text: t})
	}
	if d.switchMark && len(a.reasoning) > 0 {
		steps = append(steps, step{kind: stepThought})
	}
	for _, t := range a.text {
		steps = append(steps, step{kind: stepText, text: t})
	}
	for i, c := range a.calls {
		if d.wholeCalls != nil && d.wholeCalls(r) {
			steps = append(steps, step{kind: stepCall, call: i, text: c.arguments})
			continue
		}
		half := len(c.arguments) / 2
		for !isRuneStart(c.arguments, half) {
			half++
		}
		steps = append(steps, step{kind: stepCall, call: i}, step{kind: stepArguments, call: i, text: c.arguments[:half]},
			step{kind: stepArguments, call: i, text: c.arguments[half:]})
	}
	if !d.finishInText {
		steps = append(steps, step{kind: stepClose})
	}
	return steps
}

func isRuneStart(s string, i int) bool { return i >= len(s) || s[i]&0xC0 != 0x80 }

// events yields the whole stream of an answer, without [DONE].
func (d *dialect) events(r *request, a *answer) iter.Seq[event] {
	return func(yield func(event) bool) {
		where, steps, output := askedExtra, d.plan(r, a), 0
		if d.place != nil {
			where = d.place
		}
		at := where(r)
		for n, st := range steps {
			for i := range a.copies {
				last := n == len(steps)-1
				output += len(st.text)
				ev := event{payload: d.chunk(r, a, st, n, i, at, last, output), output: len(st.text)}
				if !yield(ev) {
					return
				}
			}
		}
		if at&usageExtra != 0 {
			yield(event{payload: d.framed(a, partExtra, []object{}, d.usage(r, a.usage))})
		}
	}
}

func (d *dialect) chunk(r *request, a *answer, st step, n, i int, at place, last bool, output int) object {
	finish, p := "", partChunk
	if last {
		finish, p = a.finish, partFinish
	}
	choice := d.choice(r, p, n, i, "delta", d.delta(r, a, st), finish)
	usage := d.noUsage(r)
	switch {
	case last && at&usageChoice != 0:
		choice = choice.with("usage", d.usage(r, a.usage))
	case last && i == a.copies-1 && at&(usageFinish|usageEvery) != 0:
		usage = d.usage(r, a.usage)
	case at&usageEvery != 0:
		part := a.usage
		part.completion = min(tokens(output), a.usage.completion)
		part.reasoning = min(part.reasoning, part.completion)
		usage = d.usage(r, part)
	}
	return d.framed(a, p, []object{choice}, usage)
}

// noUsage is the usage member of a chunk that has none.
func (d *dialect) noUsage(r *request) any { return when(d.usageNull != nil && d.usageNull(r), nil) }

func (d *dialect) choice(r *request, p part, n, i int, key string, value object, finish string) object {
	choice := obj("index", i, key, value, "logprobs", when(d.logprobs, nil))
	if d.finish == finishNull || d.finish == finishAbsent && finish != "" {
		choice = choice.with("finish_reason", orNull(finish))
	}
	if d.choiceExtra != nil {
		choice = d.choiceExtra(r, p, n, choice)
	}
	return choice
}

func (d *dialect) delta(r *request, a *answer, st step) object {
	var m object
	if d.roleEach || st.kind == stepOpen {
		m = m.with("role", "assistant")
	}
	switch st.kind {
	case stepOpen:
		thinks := d.nullPair && len(a.reasoning) > 0
		if thinks {
			m = m.with("content", nil, "reasoning_content", "")
		} else {
			m = m.with("content", "")
		}
	case stepThought:
		m = d.think(r, m, st.text)
		m = m.with("content", when(d.nullPair, nil))
	case stepText:
		m = m.with("content", st.text, "reasoning_content", when(d.nullPair && len(a.reasoning) > 0, nil))
	case stepCall, stepArguments:
		m = m.with("tool_calls", d.callList(r, []object{d.callDelta(r, a, st)}))
	case stepClose:
		m = append(m, d.closing...)
	}
	return append(m, d.extra...)
}

func (d *dialect) think(r *request, m object, text string) object {
	if d.thought != nil {
		return d.thought(r, m, text)
	}
	name := "reasoning_content"
	if d.field != nil {
		name = d.field(r)
	}
	return m.with(name, text)
}

func (d *dialect) callDelta(r *request, a *answer, st step) object {
	c := obj("index", when(d.noIndex == nil || !d.noIndex(r), st.call))
	if st.kind == stepCall {
		called := a.calls[st.call]
		return c.with("id", called.id, "type", "function", "function", obj("name", called.name, "arguments", st.text))
	}
	if d.emptyIDs {
		c = c.with("id", "", "type", "function")
	}
	return c.with("function", obj("arguments", st.text))
}

func (d *dialect) callList(r *request, calls []object) any {
	if d.callsValue != nil {
		return d.callsValue(r, calls)
	}
	return calls
}

// reply is the answer to a call without stream.
func (d *dialect) reply(r *request, a *answer) object {
	choices := make([]object, a.copies)
	for i := range choices {
		choices[i] = d.choice(r, partReply, 0, i, "message", d.message(r, a), a.finish)
	}
	return d.framed(a, partReply, choices, d.usage(r, a.usage))
}

func (d *dialect) message(r *request, a *answer) object {
	m := obj("role", "assistant", "content", orNull(strings.Join(a.text, "")))
	if len(a.reasoning) > 0 {
		m = d.think(r, m, strings.Join(a.reasoning, ""))
	}
	if len(a.calls) > 0 {
		calls := make([]object, len(a.calls))
		for i, c := range a.calls {
			calls[i] = obj("index", when(d.callIndex, i), "id", c.id, "type", "function",
				"function", obj("name", c.name, "arguments", c.arguments))
		}
		m = m.with("tool_calls", d.callList(r, calls))
	}
	if d.messageExtra != nil {
		m = d.messageExtra(r, m)
	}
	return append(m, d.extra...)
}

func (d *dialect) usage(r *request, u usage) object {
	if d.counts != nil {
		return d.counts(r, u)
	}
	return detailed(r, u)
}

// plainCounts is usage without details.
func plainCounts(_ *request, u usage) object {
	return obj("prompt_tokens", u.prompt, "completion_tokens", u.completion, "total_tokens", u.prompt+u.completion)
}

// detailed is usage with OpenAI's details of cached and, where there are any, reasoning tokens.
func detailed(r *request, u usage) object {
	return plainCounts(r, u).with("prompt_tokens_details", obj("cached_tokens", u.cached),
		"completion_tokens_details", when(u.reasoning > 0, obj("reasoning_tokens", u.reasoning)))
}

func (d *dialect) framed(a *answer, p part, choices []object, usage any) object {
	if d.frame != nil {
		return d.frame(a, p, choices, usage)
	}
	return frameOpenAI(a, p, choices, usage)
}

func frameOpenAI(a *answer, p part, choices []object, usage any) object {
	return obj("id", a.id, "object", objectName(p), "created", a.created, "model", a.model, "choices", choices, "usage", usage)
}

func objectName(p part) string {
	if p == partReply {
		return "chat.completion"
	}
	return "chat.completion.chunk"
}
