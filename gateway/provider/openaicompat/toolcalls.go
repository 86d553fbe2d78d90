package openaicompat

import (
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
)

// maxCalls is how many tool calls one answer may make; OpenAI's own helpers stop at 128.
const maxCalls = 1024

// toolCalls are the calls of one answer in the order of their appearance. Upstreams repeat index 0, omit it, or omit ids, and
// clients then glue two calls into one; so calls are told apart here and numbered anew.
type toolCalls struct {
	list []toolCall
	// open is the call that was continued last.
	open int
}

// toolCall is one call: which choice made it, by which index and id the upstream knows it, and its public index.
type toolCall struct {
	choice, upstream, public int
	id                       string
}

// callDelta is a piece of a call. Upstream is -1 without an index.
type callDelta struct {
	choice, upstream int
	id               string
	// named says that the piece carries the name of a function, as the first piece of a call does.
	named bool
}

// in says whether a choice made calls.
func (c *toolCalls) in(choice int) bool {
	for i := range c.list {
		if c.list[i].choice == choice {
			return true
		}
	}
	return false
}

// resolve finds the call that a piece belongs to; fresh says that it is a new one. A known id wins; a new id is a new call,
// whatever its index; without an id the index decides; without both, the open call goes on, unless the piece carries a name.
func (c *toolCalls) resolve(d callDelta) (public int, fresh bool) {
	found := -1
	switch {
	case d.id != "":
		found = c.latest(func(k *toolCall) bool { return k.choice == d.choice && k.id == d.id })
	case d.upstream >= 0:
		found = c.latest(func(k *toolCall) bool { return k.choice == d.choice && k.upstream == d.upstream })
	case !d.named && c.open < len(c.list) && c.list[c.open].choice == d.choice:
		found = c.open
	}
	if found >= 0 {
		c.open = found
		return c.list[found].public, false
	}
	public = 0
	for i := range c.list {
		if c.list[i].choice == d.choice {
			public++
		}
	}
	c.open = len(c.list)
	c.list = append(c.list, toolCall{d.choice, d.upstream, public, strings.Clone(d.id)})
	return public, true
}

// latest returns the place of the last call that fits, or -1.
func (c *toolCalls) latest(fits func(*toolCall) bool) int {
	for i := len(c.list) - 1; i >= 0; i-- {
		if fits(&c.list[i]) {
			return i
		}
	}
	return -1
}

// readCalls looks at tool_calls, which one vendor makes an object instead of an array. Called says that there are some.
func (t *translator) readCalls(data []byte, s span, choice int) (called bool, err error) {
	switch data[s.start] {
	case '{':
		t.edits.replace(s.start, s.start, "[")
		_, err = t.readCall(data, s.start, choice)
		t.edits.replace(s.end, s.end, "]")
		return true, err
	case '[':
		l := elementsOf(data, s.start)
		for l.next() {
			called = true
			if data[l.start] != '{' {
				return false, badResponse("bad_tool_call", "a tool call is not an object")
			}
			if l.end, err = t.readCall(data, l.start, choice); err != nil {
				return false, err
			}
		}
	}
	return called, nil
}

// readCall looks at one call, or at one piece of it, and returns its end.
func (t *translator) readCall(data []byte, at, choice int) (end int, err error) {
	d := callDelta{choice: choice, upstream: -1}
	var index span
	typed := false
	m := membersOf(data, at)
	for m.next() {
		switch string(m.name()) {
		case "id":
			// An empty id must not overwrite the one that the client has.
			if d.id = text(m.raw()); d.id == "" {
				m.drop(&t.edits)
			}
		case "index":
			index = m.span()
			if i, ok := smallNumber(m.raw()); ok {
				d.upstream = i
			}
		case "type":
			if typed = isText(m.raw()); !typed {
				m.drop(&t.edits)
			}
		case "function":
			if m.raw()[0] != '{' {
				continue
			}
			name := find(data, m.value, "name")
			d.named = isText(name)
			for _, part := range [...][]byte{name, find(data, m.value, "arguments")} {
				if isText(part) {
					t.now.text += jsonscan.TextSize(part)
				}
			}
		}
	}
	if t.whole {
		// Each element is a call of its own, and needs no index.
		d.upstream, d.named = len(t.calls.list), true
	}
	public, fresh := t.calls.resolve(d)
	if len(t.calls.list) > maxCalls {
		return 0, badResponse("too_many_tool_calls", "the answer makes too many tool calls")
	}
	t.fillCall(data, &m, call{d, public, fresh, typed, index})
	return m.end + 1, nil
}

// call is a piece of a call with what became of it.
type call struct {
	callDelta
	public       int
	fresh, typed bool
	index        span
}

// fillCall adds what clients need: the index of every piece, and the id and type of the first.
func (t *translator) fillCall(data []byte, m *members, c call) {
	comma := m.kept
	add := func(name, value string) {
		insertMember(&t.edits, m.end, comma, name, value)
		comma = true
	}
	public := strconv.Itoa(c.public)
	if c.fresh && c.id == "" {
		add("id", `"call_`+t.answerID(data)+"_"+strconv.Itoa(c.choice)+"_"+public+`"`)
	}
	if c.fresh && !c.typed {
		add("type", `"function"`)
	}
	switch {
	case t.whole:
	case !c.index.there():
		add("index", public)
	case string(c.index.of(data)) != public:
		t.edits.replace(c.index.start, c.index.end, public)
	}
}

// answerID is the answer's id as it is written, for ids of calls that have none: clients keep those of several turns apart.
func (t *translator) answerID(data []byte) string {
	if len(t.id) > 0 {
		return text(t.id)
	}
	for _, name := range [...]string{"id", "sid", "request_id"} {
		if id := text(find(data, 0, name)); id != "" {
			return id
		}
	}
	return ""
}
