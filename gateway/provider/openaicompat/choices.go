package openaicompat

import (
	"net/http"
	"strconv"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// indexSet is a set of indices of choices. Those beyond 63 are always in it: no vendor gives that many.
type indexSet uint64

// has says whether an index is in the set.
func (s indexSet) has(i int) bool { return i < 0 || i > 63 || s&(1<<i) != 0 }

// add puts an index into the set.
func (s *indexSet) add(i int) {
	if i >= 0 && i < 64 {
		*s |= 1 << i
	}
}

// choice is what one element of choices holds.
type choice struct {
	index               int
	hasIndex            bool
	delta, message      span
	messageKey, nameEnd int
	finish              span
}

// readChoices looks at every choice.
func (t *translator) readChoices(data []byte) error {
	if !t.now.choices.there() || data[t.now.choices.start] != '[' {
		return nil
	}
	l := elementsOf(data, t.now.choices.start)
	for position := 0; l.next(); position++ {
		if data[l.start] != '{' {
			return badResponse("bad_choice", "a choice is not an object")
		}
		t.now.answered = true
		var err error
		if l.end, err = t.readChoice(data, l.start, position); err != nil {
			return err
		}
	}
	return nil
}

// readChoice looks at the choice at a place and returns its end.
func (t *translator) readChoice(data []byte, at, position int) (end int, err error) {
	c := choice{index: position}
	m := membersOf(data, at)
	for m.next() {
		switch string(m.name()) {
		case "index":
			if i, ok := smallNumber(m.raw()); ok {
				c.index, c.hasIndex = i, true
			}
		case "delta":
			c.delta = m.span()
		case "message":
			c.message, c.messageKey, c.nameEnd = m.span(), m.start, m.nameEnd
		case "finish_reason":
			c.finish = m.span()
		case "usage":
			t.choiceUsage(&m)
		}
	}
	comma := m.kept
	if !c.hasIndex {
		insertMember(&t.edits, m.end, comma, "index", strconv.Itoa(position))
		comma = true
	}
	if err := t.readAnswer(data, &c); err != nil {
		return 0, err
	}
	return m.end + 1, t.readFinish(data, &c, m.end, comma)
}

// readAnswer looks at what a choice says: its message in a completion, its delta in a chunk.
func (t *translator) readAnswer(data []byte, c *choice) error {
	switch {
	case t.whole && isObject(data, c.message):
		return t.readBody(data, c.message.start, c.index)
	case t.whole:
		return badResponse("no_message", "a choice has no message")
	case isObject(data, c.delta):
		return t.readBody(data, c.delta.start, c.index)
	case c.delta.there():
		t.edits.replace(c.delta.start, c.delta.end, "{}")
	case isObject(data, c.message) && t.spoken.has(c.index):
		// A stream that ends with the whole completion would say everything twice.
		t.edits.replace(c.messageKey, c.message.end, `"delta":{}`)
	case isObject(data, c.message):
		t.edits.replace(c.messageKey, c.nameEnd+1, `"delta"`)
		return t.readBody(data, c.message.start, c.index)
	}
	return nil
}

// readBody looks at a message or delta.
func (t *translator) readBody(data []byte, at, index int) error {
	renamed, doubled := t.reasoningNames(data, at)
	var role, content, calls span
	said := false
	m := membersOf(data, at)
	for m.next() {
		switch name := m.name(); {
		case string(name) == "content":
			content = m.span()
			said = t.hear(m.raw()) || said
		case string(name) == "role":
			role = m.span()
		case string(name) == "tool_calls":
			calls = m.span()
		case renamed != "" && string(name) == renamed:
			said = t.hear(m.raw()) || said
			t.edits.replace(m.start, m.nameEnd+1, `"reasoning_content"`)
		case renamed != "" && string(name) == "reasoning_content":
			// Empty, and its place is taken.
			m.drop(&t.edits)
		case doubled != "" && string(name) == doubled:
			m.drop(&t.edits)
		case string(name) == "reasoning_content", string(name) == "reasoning", string(name) == "refusal",
			string(name) == "audio", string(name) == "function_call":
			said = t.hear(m.raw()) || said
		}
	}
	if calls.there() {
		called, err := t.readCalls(data, calls, index)
		if err != nil {
			return err
		}
		said = said || called
	}
	t.fillBody(data, &m, index, role, content)
	if said {
		t.now.content = true
		t.spoken.add(index)
	}
	return nil
}

// reasoningNames returns the members of a message or delta that become reasoning_content and that repeat it, each "" if there is
// none.
func (t *translator) reasoningNames(data []byte, at int) (renamed, doubled string) {
	q := t.quirks
	if q.reasoningAs == "" && q.reasoningCopy == "" {
		return "", ""
	}
	if isText(find(data, at, "reasoning_content")) {
		return "", q.reasoningCopy
	}
	if q.reasoningAs == "" || find(data, at, q.reasoningAs) == nil {
		return "", ""
	}
	return q.reasoningAs, ""
}

// fillBody adds the role, which clients expect in the first delta of each choice and in each message, and a message's content.
func (t *translator) fillBody(data []byte, m *members, index int, role, content span) {
	comma := m.kept
	if t.whole && !content.there() {
		insertMember(&t.edits, m.end, comma, "content", "null")
		comma = true
	}
	if t.roles.has(index) {
		return
	}
	t.roles.add(index)
	switch {
	case !role.there():
		insertMember(&t.edits, m.end, comma, "role", `"assistant"`)
	case !isText(role.of(data)):
		t.edits.replace(role.start, role.end, `"assistant"`)
	}
}

// readFinish makes the finish reason one of OpenAI's. End is the place of the choice's brace.
func (t *translator) readFinish(data []byte, c *choice, end int, comma bool) error {
	if c.finish.there() && isText(c.finish.of(data)) {
		raw := string(c.finish.of(data))
		public, failed := finishReason(raw)
		if failed {
			return &provider.Error{Status: http.StatusOK, Code: text([]byte(raw)), Message: "the answer was broken off"}
		}
		if public != raw {
			t.edits.replace(c.finish.start, c.finish.end, public)
		}
		t.finished = true
		return nil
	}
	reason := t.impliedFinish(c.index)
	switch {
	case c.finish.there():
		if string(c.finish.of(data)) != reason {
			t.edits.replace(c.finish.start, c.finish.end, reason)
		}
	case reason != "null":
		insertMember(&t.edits, end, comma, "finish_reason", reason)
	}
	return nil
}

// impliedFinish is the finish reason of a choice that tells none, as JSON: null while it goes on.
func (t *translator) impliedFinish(index int) string {
	ends := t.whole || (t.quirks.endsWithUsage && t.now.usage.there() && !t.finished)
	switch {
	case !ends:
		return "null"
	case t.calls.in(index):
		t.finished = true
		return `"tool_calls"`
	}
	t.finished = true
	return `"stop"`
}

// finishReason turns a finish reason into one of OpenAI's, both as JSON. Failed says that the answer was broken off by a failure
// of the vendor's. The words are shared: vendors host each other's models.
func finishReason(raw string) (public string, failed bool) {
	switch raw {
	case `"sensitive"`:
		return `"content_filter"`, false
	case `"model_context_window_exceeded"`:
		return `"length"`, false
	case `"eos"`, `"normal"`:
		return `"stop"`, false
	case `"network_error"`, `"insufficient_system_resource"`, `"aborted"`:
		return "", true
	}
	return raw, false
}

// says reports whether a value is a part of an answer: a text that is not empty, or something structured.
func says(value []byte) bool {
	return isText(value) || value[0] == '{' || (value[0] == '[' && len(value) > 2)
}

// hear says whether a value says something, and counts the text.
func (t *translator) hear(value []byte) bool {
	if !says(value) {
		return false
	}
	if value[0] == '"' {
		t.now.text += jsonscan.TextSize(value)
	}
	return true
}

// isObject says whether a span is an object.
func isObject(data []byte, s span) bool { return s.there() && data[s.start] == '{' }

// find returns the value of a member of the object at a place, or nil.
func find(data []byte, at int, name string) []byte {
	m := membersOf(data, at)
	for m.next() {
		if string(m.name()) == name {
			return m.raw()
		}
	}
	return nil
}

// smallNumber reads a count of at most nine digits.
func smallNumber(value []byte) (int, bool) {
	if len(value) == 0 || len(value) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range value {
		if !jsonscan.IsDigit(c) {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
